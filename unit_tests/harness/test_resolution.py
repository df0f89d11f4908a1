"""The name of a new load balancer may resolve late."""

import socket

import pytest

from harness.resolution import wait_until_resolved
from operations.waiting import TimedOutError

URL = "http://load-balancer-dev.us-east-1.elb.amazonaws.com:8080/"


def test_a_name_that_does_not_resolve_yet_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(host: str, _port: None) -> list[str]:
        asked.append(host)
        if len(asked) < 3:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    wait_until_resolved(URL, deadline=10, interval=0)
    assert asked == ["load-balancer-dev.us-east-1.elb.amazonaws.com"] * 3


def test_a_name_that_never_resolves_is_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_host: str, _port: None) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(TimedOutError, match=r"load-balancer-dev.*: Name or service not known"):
        wait_until_resolved(URL, deadline=0)
