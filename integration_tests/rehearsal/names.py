"""A DNS server with AWS's names: all of them are this machine, and load balancers once they exist.

https://www.rfc-editor.org/rfc/rfc1035#section-4
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

HEADER = struct.Struct("!6H")
# A response, authoritative, to a query that asked for recursion.
FLAGS = 0x8580
NXDOMAIN = 3
A, IN = 1, 1
DOMAIN = ".amazonaws.com"
BALANCERS = ".elb.amazonaws.com"


class Names(asyncio.DatagramProtocol):
    """Answers queries; `balancers` returns the DNS names of the load balancers that can be resolved."""

    def __init__(self, balancers: Callable[[], set[str]]) -> None:
        self.balancers = balancers
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        """Keep the socket, for the responses."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer one query."""
        task = asyncio.get_running_loop().create_task(self._answer(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, addr: Any) -> None:
        name, kind, end = question(data)
        known = await asyncio.to_thread(self._is_known, name)
        self.transport.sendto(response(data[:end], kind, known=known), addr)

    def _is_known(self, name: str) -> bool:
        if name.endswith(BALANCERS):
            return name in self.balancers()
        return name.endswith(DOMAIN)


def question(data: bytes) -> tuple[str, int, int]:
    """Return the name and the type of a query's question, and where it ends."""
    labels, at = [], HEADER.size
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    (kind,) = struct.unpack_from("!H", data, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def response(query: bytes, kind: int, *, known: bool) -> bytes:
    """Return the response: this machine's IPv4 address, nothing for other types, or NXDOMAIN."""
    number, *_ = HEADER.unpack_from(query)
    found = known and kind == A
    header = HEADER.pack(number, FLAGS | (0 if known else NXDOMAIN), 1, int(found), 0, 0)
    # Its name is the question's; no resolver may keep it.
    record = struct.pack("!3HIH", 0xC000 | HEADER.size, A, IN, 0, 4) + socket.inet_aton("127.0.0.1")
    return header + query[HEADER.size :] + (record if found else b"")
