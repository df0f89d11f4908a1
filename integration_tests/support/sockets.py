"""On which addresses the processes of a run listen, as Linux tells it."""

import os
import re
from pathlib import Path

LISTENING = "0A"
# 127.0.0.0/8, ::1, and the former as the latter's kind; each word has its bytes from behind.
LOOPBACK = re.compile(r"[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F")


def processes(root: int) -> set[int]:
    """Return a process and all that descend from it."""
    found = {root}
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= processes(int(child))
    return found


def listening(pids: set[int]) -> set[str]:
    """Return the addresses (hexadecimal, `address:port`) on which these processes listen."""
    links = [
        str(link.readlink())
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.path.lexists(link)
    ]
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == LISTENING and row[9] in sockets}


def non_loopback(addresses: set[str]) -> set[str]:
    """Return those that other machines could reach."""
    return {one for one in addresses if not LOOPBACK.fullmatch(one.rpartition(":")[0])}
