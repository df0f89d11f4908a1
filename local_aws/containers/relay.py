"""Carries connections from one socket to another place: a published port, or a container's way to local_aws.

It also runs inside containers, on the image's Python: standard library only, and nothing newer than 3.7.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import Callable  # noqa: UP035 - an old Python in an image


def forward(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Carry each connection of `listener` to what `connect` opens, until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(client, connect), daemon=True).start()


def _carry(client: socket.socket, connect: Callable[[], socket.socket]) -> None:
    try:
        server = connect()
    except OSError:
        client.close()
        return
    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    _copy(client, server)
    back.join()
    client.close()
    server.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: so is the connection, in both directions.
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def to_port(port: int) -> Callable[[], socket.socket]:
    """Return what connects to a port of this network's loopback."""
    return lambda: _endless(socket.create_connection(("127.0.0.1", port), timeout=10))


def to_file(path: str) -> Callable[[], socket.socket]:
    """Return what connects to a socket file."""

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(path)
        except OSError:
            made.close()
            raise
        return made

    return connect


def _endless(made: socket.socket) -> socket.socket:
    made.settimeout(None)
    return made


def inside() -> None:
    """Listen on a port of the container's loopback, and carry on to a socket file that is mounted there."""
    port, path = int(sys.argv[1]), sys.argv[2]
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    forward(listener, to_file(path))


if __name__ == "__main__":
    inside()
