"""Emulates a container's network namespace in a process. It runs inside images, on their Python.

Each container has an address in 127.64.0.0/10 that others reach it by, and one in 127.128.0.0/10 that takes
the place of its 127.0.0.1. A bind to all addresses becomes the first, a bind to loopback the second. A
connection to loopback reaches the ports of this container and of local_aws, and no other port of this
machine. Code that calls the C library's bind itself (uvloop) is not covered.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any

ADDRESS = "LOCAL_AWS_CONTAINER_ADDRESS"
LOOPBACK = "LOCAL_AWS_CONTAINER_LOOPBACK"
# The port of local_aws: AWS_ENDPOINT_URL must be reachable from inside.
ENDPOINT = "LOCAL_AWS_CONTAINER_ENDPOINT_PORT"

_ALL_ADDRESSES = ("", "0.0.0.0", "<any>")  # noqa: S104 - these are never bound
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def listening(address: str, port: int, table: str = "/proc/net/tcp") -> bool:
    """Return whether a TCP socket listens on `address` and `port`, from the kernel's table."""
    wanted = "{:08X}:{:04X}".format(struct.unpack("=I", socket.inet_aton(address))[0], port)
    try:
        with open(table) as lines:  # noqa: PTH123 - an old Python, at every start of a process
            return any(part[1] == wanted and part[3] == "0A" for part in map(str.split, lines))
    except OSError:
        return False


def bind_address(family: int, host: str, address: str, loopback: str) -> str:
    """Return the host to bind instead of `host`."""
    if family == socket.AF_INET6:
        return _bind_address_v6(host, address, loopback)
    if family != socket.AF_INET or host in (address, loopback):
        return host
    if host in _ALL_ADDRESSES:
        return address
    return loopback if host in _LOOPBACK or host.startswith("127.") else host


def _bind_address_v6(host: str, address: str, loopback: str) -> str:
    if host in ("::", ""):
        return "::ffff:" + address
    return "::ffff:" + loopback if host in _LOOPBACK else host


def connect_address(family: int, host: str, port: int, address: str, loopback: str, endpoint: str) -> str:
    """Return the host to connect to instead of `host`."""
    if host not in _LOOPBACK or str(port) == endpoint:
        return host
    target = loopback if listening(loopback, port) else address
    return target if family == socket.AF_INET else "::ffff:" + target


def patch_sockets() -> None:
    """Replace bind and connect of this process's sockets, if the process belongs to a container."""
    address, loopback = os.environ.get(ADDRESS), os.environ.get(LOOPBACK)
    if not address or not loopback:
        return
    endpoint = os.environ.get(ENDPOINT, "")
    original = socket.socket

    def bind(self: socket.socket, place: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = bind_address(self.family, place[0], address, loopback)
            if host.startswith("::ffff:") and self.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
                # The error of a container without IPv6: servers then use their IPv4 socket alone.
                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            place = (host, *place[1:])
        return super(original, self).bind(place)

    def redirect(self: socket.socket, place: Any) -> Any:
        if self.family not in (socket.AF_INET, socket.AF_INET6):
            return place
        host = connect_address(self.family, place[0], place[1], address, loopback, endpoint)
        return (host, *place[1:])

    def connect(self: socket.socket, place: Any) -> None:
        return super(original, self).connect(redirect(self, place))

    def connect_ex(self: socket.socket, place: Any) -> int:
        return super(original, self).connect_ex(redirect(self, place))

    for method in (bind, connect, connect_ex):
        setattr(original, method.__name__, method)


patch_sockets()
