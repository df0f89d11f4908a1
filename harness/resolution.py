"""Waits until the name of a new load balancer resolves on this machine."""

import socket
from urllib.parse import urlsplit

from operations.waiting import NotYetError, wait_for


def wait_until_resolved(url: str, *, deadline: float, interval: float = 1.0) -> None:
    """Wait until the host of `url` has an address; times are in seconds.

    A resolver that was asked too early keeps for some time that there is no such name:
    https://www.rfc-editor.org/rfc/rfc2308#section-5
    """
    host = urlsplit(url).hostname

    def look() -> None:
        try:
            socket.getaddrinfo(host, None)
        except socket.gaierror as error:
            raise NotYetError(f"{host}: {error.strerror}") from error

    wait_for("the load balancer's name", look, deadline=deadline, interval=interval)
