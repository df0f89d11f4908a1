"""The data plane in front of real servers."""

import asyncio
import http.client
import socket
import threading
from collections import Counter

import aiohttp
import pytest
import requests
from aiohttp import web

from local_aws.core.context import Context
from local_aws.services.elbv2 import data_plane
from local_aws.services.elbv2 import proxy as elbv2_proxy
from local_aws.services.elbv2.listener_server import listen
from local_aws.services.elbv2.records import ElbSnapshot, ListenerRule, Target
from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Loop,
    answering,
    balancing,
    forwarding,
    get,
    healthy,
    says,
    states,
    target_group,
    url,
    wait_until,
)


def test_requests_are_spread_exactly_by_weight(loop: Loop, plane: LoadBalancing) -> None:
    blue, green = (
        target_group("b", Backend(loop, says("blue"))),
        target_group("g", Backend(loop, says("green"))),
    )
    plane.apply(forwarding({blue: 90, green: 10}))
    healthy(plane, blue, green)
    assert Counter(get(plane).text for _ in range(50)) == {"blue": 45, "green": 5}
    plane.apply(forwarding({blue: 100, green: 0}))
    assert Counter(get(plane).text for _ in range(30)) == {"blue": 30}
    plane.apply(forwarding({blue: 0, green: 100}))
    assert Counter(get(plane).text for _ in range(30)) == {"green": 30}


def test_a_listener_may_be_added_while_an_earlier_change_is_reconciled(
    loop: Loop, plane: LoadBalancing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data plane must not see a listener before its socket exists: it would never serve it."""
    reconciling = []

    def listen_while_reconciling(port: int) -> socket.socket:
        assert plane.data_plane._loop is not None
        reconciling.append(
            asyncio.run_coroutine_threadsafe(plane.data_plane.reconcile(), plane.data_plane._loop)
        )
        return listen(port)

    monkeypatch.setattr(data_plane, "listen", listen_while_reconciling)
    blue = target_group("b", Backend(loop, says("blue")))
    plane.apply(forwarding({blue: 1}))
    assert [each.result(10) for each in reconciling] == [None]
    healthy(plane, blue)
    assert get(plane).text == "blue"


def test_a_target_that_refuses_connections_is_502_and_fails_its_checks(
    loop: Loop, plane: LoadBalancing
) -> None:
    backend = Backend(loop, says("gone"))
    backend.stop()
    group = target_group("a", backend)
    plane.apply(forwarding({group: 1}))
    assert get(plane).status_code == 502
    wait_until(lambda: states(plane, group) == [("unhealthy", "Target.FailedHealthChecks")])


def test_a_target_that_does_not_answer_is_504_and_its_checks_time_out(
    loop: Loop, plane: LoadBalancing
) -> None:
    async def silent(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(3)
        return web.Response(text="late")

    group = target_group("a", Backend(loop, silent), timeout=0.1, unhealthy=2)
    plane.apply(forwarding({group: 1}, idle=0.3))
    assert get(plane).status_code == 504
    wait_until(lambda: states(plane, group) == [("unhealthy", "Target.Timeout")])


def test_a_target_that_crashes_during_a_request_is_502_and_gets_no_second_request(
    loop: Loop, plane: LoadBalancing
) -> None:
    """Negative control of the retry: it must not hide a service that crashes."""

    async def crash(request: web.BaseRequest) -> web.Response:
        if request.path != "/health" and request.transport is not None:
            request.transport.abort()
        return web.Response()

    backend = Backend(loop, crash)
    group = target_group("a", backend)
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    assert get(plane, "/crash").status_code == 502
    assert backend.requests["/crash"] == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_reused_connection_that_the_target_closes_fails_no_request(
    loop: Loop, plane: LoadBalancing, method: str
) -> None:
    """Pitfall N1: the target's keep-alive ends at the very moment the next request is sent."""
    closing = ClosingServer()
    plane.apply(forwarding({target_group("a", closing, path="/health"): 1}))  # type: ignore[arg-type]
    try:
        for _ in range(20):
            assert requests.request(method, url(plane), timeout=5).ok
    finally:
        closing.close()
    # A GET on a closed connection was repeated; a POST never uses a reused connection.
    assert (closing.closed_on > 0) == (method == "GET")


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(),
        aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    ],
)
def test_every_broken_connection_raises_the_same_error(loop: Loop, error: Exception) -> None:
    async def broken(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        raise error

    with pytest.raises(elbv2_proxy.ConnectionBrokenError):
        loop.run(elbv2_proxy._raise_broken_connection(None, broken))  # type: ignore[arg-type]


class ClosingServer:
    """Answers one request on each connection with keep-alive, and closes it when the second one arrives."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.target = Target("127.0.0.1", self.socket.getsockname()[1])
        self.closed_on = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            self.closed_on += bool(connection.recv(65536))

    def close(self) -> None:
        self.socket.close()


def test_a_target_gets_the_headers_of_an_alb(loop: Loop, plane: LoadBalancing) -> None:
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.json_response(dict(request.headers), headers={"Connection": "keep-alive", "X-Own": "1"})

    group = target_group("a", Backend(loop, echo))
    plane.apply(forwarding({group: 1}))
    sent = {
        "X-Forwarded-For": "10.0.0.9",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Host": "shop.example",
    }
    answer = get(plane, "/a%2Fb?q=1", headers=sent)
    seen = answer.json()
    assert seen["X-Forwarded-For"] == "10.0.0.9, 127.0.0.1"
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Port"]) == ("http", "80")
    assert seen["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert seen["Host"] == "shop.example"
    assert "X-Hop" not in seen
    assert answer.headers["X-Own"] == "1"


def test_the_path_and_query_reach_the_target_as_they_were_sent(loop: Loop, plane: LoadBalancing) -> None:
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.raw_path)

    plane.apply(forwarding({target_group("a", Backend(loop, echo)): 1}))
    host, _, port = plane.addresses()["lb.elb:80"].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", "/a%2Fb/../%7Ec?q=%20+x&empty=")
    assert connection.getresponse().read() == b"/a%2Fb/../%7Ec?q=%20+x&empty="
    connection.close()


def test_responses_to_head_and_empty_responses_are_forwarded(loop: Loop, plane: LoadBalancing) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=204) if request.path == "/none" else web.Response(text="twelve bytes")

    plane.apply(forwarding({target_group("a", Backend(loop, answer)): 1}))
    assert requests.head(url(plane), timeout=5).headers["Content-Length"] == "12"
    assert get(plane, "/none").status_code == 204


def test_fixed_responses_redirects_and_rules_are_answered_by_the_load_balancer(plane: LoadBalancing) -> None:
    fixed = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing"},
    }
    moved = {
        "Type": "redirect",
        "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "443", "Protocol": "HTTPS"},
    }
    rule = ListenerRule(({"Field": "path-pattern", "Values": ["/old/*"]},), moved)
    plane.apply(answering(fixed, rules=(rule,)))
    assert (get(plane).status_code, get(plane).text) == (404, "nothing")
    answer = get(plane, "/old/x?a=1", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://127.0.0.1:443/old/x?a=1")


def test_a_listener_keeps_its_port_until_it_is_deleted(loop: Loop, plane: LoadBalancing) -> None:
    first = forwarding({target_group("a", Backend(loop, says("1"))): 1})
    plane.apply(first)
    address = plane.addresses()
    assert get(plane).text == "1"
    plane.apply(forwarding({target_group("b", Backend(loop, says("2"))): 1}))
    assert (plane.addresses(), get(plane).text) == (address, "2")
    old = url(plane)
    plane.apply(ElbSnapshot())
    assert plane.addresses() == {}

    def refused() -> bool:
        try:
            requests.get(old, timeout=1)
        except requests.exceptions.Timeout:
            return False
        except requests.exceptions.ConnectionError:
            return True
        return False

    wait_until(refused)


def test_stopping_ends_everything_quickly(loop: Loop, context: Context) -> None:
    with balancing(context) as plane:
        plane.apply(forwarding({target_group("a", Backend(loop, says("x"))): 1}))
        get(plane)
    assert plane._thread is not None
    assert not plane._thread.is_alive()
