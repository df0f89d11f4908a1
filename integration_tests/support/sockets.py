"""The addresses on which the processes of a run listen, from /proc."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

LISTENING = "0A"
# 127.0.0.0/8, ::1, and IPv4-mapped loopback addresses; each word is in little-endian order.
LOOPBACK = re.compile(r"[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F")


def process_tree(root: int) -> set[int]:
    """Return a process and its descendants."""
    found = {root}
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= process_tree(int(child))
    return found


def listening_addresses(pids: set[int]) -> set[str]:
    """Return the addresses (hexadecimal, `address:port`) on which these processes listen."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    rows = (
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    )
    return {row[1] for row in rows if row[3] == LISTENING and row[9] in inodes}


def _socket_inodes(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        if os.path.lexists(descriptor):
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")


def non_loopback(addresses: set[str]) -> set[str]:
    """Return the addresses that other machines could reach."""
    return {one for one in addresses if not LOOPBACK.fullmatch(one.rpartition(":")[0])}
