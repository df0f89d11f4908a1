"""Allocates the addresses of containers: each is one of 127.64.0.0/10, unique on this machine."""

import os
import random
from pathlib import Path

# The kernel's table in one read. psutil.net_connections would read every process's file descriptors.
_TABLE = Path("/proc/net/tcp")


class Addresses:
    """Allocates addresses. A file for each in `folder` reserves it among the processes of this local_aws."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Release all addresses: those of containers that ended with an earlier local_aws."""
        for taken in self.folder.iterdir():
            taken.unlink(missing_ok=True)

    def allocate(self) -> str:
        """Allocate an address; it stays reserved until `release`."""
        for _ in range(1000):
            address = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"  # noqa: S311
            try:
                os.close(os.open(self.folder / address, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            if not _in_use(address):
                return address
        raise RuntimeError(f"no free address in 127.64.0.0/10: remove the files in {self.folder}")

    def release(self, address: str) -> None:
        """Release an address."""
        (self.folder / address).unlink(missing_ok=True)


def loopback(address: str) -> str:
    """Return the address that is 127.0.0.1 for the container at `address`: the same in 127.128.0.0/10."""
    first, second, rest = address.split(".", 2)
    return f"{first}.{int(second) + 64}.{rest}"


def _in_use(address: str) -> bool:
    # Another local_aws may use the same one: its sockets are in the kernel's table.
    if not _TABLE.exists():
        return False
    wanted = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    lines = _TABLE.read_text().splitlines()[1:]
    return any(line.split()[1].startswith(wanted) for line in lines)
