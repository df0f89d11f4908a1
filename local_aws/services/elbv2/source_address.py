"""The address from which a load balancer connects to its targets.

On AWS it is one of a subnet. Servers trust headers of 127.0.0.1, as gunicorn X-Forwarded-Proto by default: a
redirect to HTTPS that repeats for ever on AWS would end here.
https://docs.gunicorn.org/en/stable/settings.html#forwarded-allow-ips
"""

import socket
from contextlib import suppress

import aiohttp

# Beside those of containers (see `local_aws.containers.addresses`).
ADDRESS = "127.32.0.1"
# Of <linux/in.h>: the port is chosen at the connection, and may have connections to several targets.
_BIND_ADDRESS_NO_PORT = 24


def open_socket(target: aiohttp.AddrInfoType) -> socket.socket:
    """Open a socket for a connection to `target`, from `ADDRESS` to a target on loopback."""
    family, kind, protocol, _, address = target
    opened = socket.socket(family, kind, protocol)
    if family == socket.AF_INET and str(address[0]).startswith("127."):
        with suppress(OSError):
            opened.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            opened.bind((ADDRESS, 0))
    return opened
