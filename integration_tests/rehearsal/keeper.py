"""Runs in the new namespaces, standard library only: keeps them until its standard input closes.

It mounts files over those of the machine, and sends listening sockets to the process that started it: a
socket belongs to the network namespace in which it was made, whoever accepts its connections.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys

# https://man7.org/linux/man-pages/man7/netdevice.7.html
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
LOOPBACK = "127.0.0.1"
READY = "ready"


def main() -> None:
    """Prepare the namespaces: `keeper.py MOUNTS PORTS DESCRIPTOR`, with JSON for the first two."""
    mounts, ports = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    for target, source in mounts.items():
        subprocess.run(["mount", "--bind", source, target], check=True)  # noqa: S603, S607 - our own files
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    fcntl.ioctl(sockets[0], SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    sockets[0].bind((LOOPBACK, 53))
    sockets += [_listen(port) for port in ports]
    with socket.socket(fileno=int(sys.argv[3])) as channel:
        socket.send_fds(channel, [READY.encode()], [each.fileno() for each in sockets])
    sys.stdin.read()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((LOOPBACK, port))
    listener.listen(128)
    return listener


if __name__ == "__main__":
    main()
