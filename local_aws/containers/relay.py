"""Relays TCP connections: for published ports, and from a container to local_aws.

It also runs inside containers, on the image's Python: standard library only, and nothing newer than 3.7.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import Callable  # noqa: UP035 - an old Python in an image


def forward(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Relay each connection of `listener` to the one that `connect` opens, until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, connect), daemon=True).start()


def _relay(client: socket.socket, connect: Callable[[], socket.socket]) -> None:
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
        # One side closed its socket: close the connection in both directions.
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def to_port(port: int) -> Callable[[], socket.socket]:
    """Return a function that connects to a port of this network's loopback."""
    return lambda: _without_timeout(socket.create_connection(("127.0.0.1", port), timeout=10))


def to_unix_socket(path: str) -> Callable[[], socket.socket]:
    """Return a function that connects to a Unix socket."""

    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            raise
        return connection

    return connect


def _without_timeout(connection: socket.socket) -> socket.socket:
    connection.settimeout(None)
    return connection


def main() -> None:
    """Relay a port of the container's loopback to a Unix socket that is mounted into the container."""
    port, path = int(sys.argv[1]), sys.argv[2]
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    forward(listener, to_unix_socket(path))


if __name__ == "__main__":
    main()
