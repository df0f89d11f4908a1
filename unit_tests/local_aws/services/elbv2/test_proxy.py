"""The data plane in front of real servers."""

import asyncio
import http.client
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

from local_aws.core.clock import Clock
from local_aws.core.context import ACCOUNT, Context
from local_aws.services.elbv2 import data_plane
from local_aws.services.elbv2 import proxy as elbv2_proxy
from local_aws.services.elbv2.health import interval
from local_aws.services.elbv2.listener_server import listen
from local_aws.services.elbv2.records import ListenerRule, Snapshot, Target
from local_aws.services.elbv2.service import LoadBalancing
from local_aws.services.elbv2.targets import TargetState
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Loop,
    answering,
    balancing,
    forwarding,
    make_context,
    probe,
    says,
    states,
    target_group,
    url,
    wait_for_more,
    wait_until,
)


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return make_context(tmp_path)


@pytest.fixture
def plane(context: Context) -> Iterator[LoadBalancing]:
    with balancing(context) as running:
        yield running


def get(plane: LoadBalancing, path: str = "/", **given: Any) -> requests.Response:
    return requests.get(url(plane, path), timeout=10, **given)


def healthy(plane: LoadBalancing, *groups: Any) -> None:
    wait_until(lambda: all(state == "healthy" for g in groups for state, _ in states(plane, g)))


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


def test_healthy_targets_take_turns_and_an_unhealthy_one_gets_nothing(
    loop: Loop, plane: LoadBalancing
) -> None:
    async def sick(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/health" else 200, text="sick")

    group = target_group("a", Backend(loop, says("1")), Backend(loop, says("2")), Backend(loop, sick))
    plane.apply(forwarding({group: 1}))
    wait_until(lambda: states(plane, group)[2] == ("unhealthy", "Target.ResponseCodeMismatch"))
    assert Counter(get(plane).text for _ in range(20)) == {"1": 10, "2": 10}


def test_a_group_with_no_healthy_target_fails_open(loop: Loop, plane: LoadBalancing) -> None:
    async def sick(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/health" else 200, text="sick")

    group = target_group("a", Backend(loop, sick))
    plane.apply(forwarding({group: 1}))
    wait_until(lambda: states(plane, group)[0][0] == "unhealthy")
    assert get(plane).text == "sick"


def test_a_group_without_targets_answers_503_as_alb_does(plane: LoadBalancing) -> None:
    plane.apply(forwarding({target_group("a"): 1}))
    answer = get(plane)
    assert (answer.status_code, answer.headers["Server"]) == (503, "awselb/2.0")
    assert "503 Service Temporarily Unavailable" in answer.text


def test_target_groups_that_all_have_weight_0_answer_503(loop: Loop, plane: LoadBalancing) -> None:
    groups = [target_group(name, Backend(loop, says(name))) for name in ("b", "g")]
    plane.apply(forwarding(dict.fromkeys(groups, 0)))
    assert get(plane).status_code == 503


def test_a_group_whose_only_target_drains_answers_503(loop: Loop, plane: LoadBalancing) -> None:
    plane.apply(forwarding({target_group("a", Backend(loop, says("x")), delay=3600): 1}))
    assert get(plane).text == "x"
    plane.apply(forwarding({target_group("a", delay=3600): 1}))
    assert get(plane).status_code == 503


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


def test_a_target_that_crashes_during_a_request_is_502_and_not_asked_again(
    loop: Loop, plane: LoadBalancing
) -> None:
    """Negative control of the retry: it must not hide a service that dies."""

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
def test_a_kept_connection_that_the_target_closes_fails_no_request(
    loop: Loop, plane: LoadBalancing, method: str
) -> None:
    """Traps N1: the target's keep-alive ends at the very moment the next request is sent."""
    closing = ClosingServer()
    plane.apply(forwarding({target_group("a", closing, path="/health"): 1}))  # type: ignore[arg-type]
    try:
        for _ in range(20):
            assert requests.request(method, url(plane), timeout=5).ok
    finally:
        closing.close()
    # A GET met closed connections and went on; a POST never uses a kept one.
    assert (closing.closed_on > 0) == (method == "GET")


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(),
        aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    ],
)
def test_every_way_in_which_a_connection_breaks_is_known_as_one(loop: Loop, error: Exception) -> None:
    async def broken(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        raise error

    with pytest.raises(elbv2_proxy.ConnectionBrokenError):
        loop.run(elbv2_proxy._raise_broken_connection(None, broken))  # type: ignore[arg-type]


class ClosingServer:
    """Answers one request on each connection as if it kept it, and closes it when the second one arrives."""

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


def test_a_deregistered_target_finishes_what_it_has_and_gets_nothing_new(
    loop: Loop, plane: LoadBalancing
) -> None:
    release = threading.Event()

    async def slow(request: web.BaseRequest) -> web.Response:
        while request.path == "/slow" and not release.is_set():
            await asyncio.sleep(0.02)
        return web.Response(text="old")

    old, new = Backend(loop, slow), Backend(loop, says("new"))
    both = target_group("a", old, new)
    plane.apply(forwarding({both: 1}))
    healthy(plane, both)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(get(plane, "/slow").text)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: old.requests["/slow"] == 1 and len(answers) == 1)
    only_new = target_group("a", new)
    plane.apply(forwarding({only_new: 1}))
    assert ("draining", "Target.DeregistrationInProgress") in states(plane, only_new)
    assert {get(plane).text for _ in range(20)} == {"new"}
    # 30 s of AWS are 0.3 s here, but a request in flight has the delay in real seconds.
    threading.Event().wait(0.5)
    assert ("draining", "Target.DeregistrationInProgress") in states(plane, only_new)
    release.set()
    for thread in threads:
        thread.join(5)
    assert sorted(answers) == ["new", "old"]
    wait_until(lambda: states(plane, only_new) == [("healthy", "")])
    described = plane.describe_health(both.arn, [old.target])[0]["TargetHealth"]
    assert (described["State"], described["Reason"]) == ("unused", "Target.NotRegistered")


def test_a_target_group_that_nobody_uses_is_unused_and_is_not_checked(
    loop: Loop, plane: LoadBalancing
) -> None:
    backend = Backend(loop, says("x"))
    group = target_group("a", backend)
    unused = type(group)(group.arn, 8080, group.health_check, group.targets)
    plane.apply(Snapshot({}, {group.arn: unused}))
    threading.Event().wait(0.4)
    assert states(plane, group) == [("unused", "Target.NotInUse")]
    assert backend.requests["/health"] == 0


def test_headers_that_a_target_sees_are_those_of_an_alb(loop: Loop, plane: LoadBalancing) -> None:
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


def test_large_bodies_stream_both_ways(loop: Loop, plane: LoadBalancing) -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Length": request.headers.get("Content-Length", "chunked")})
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    plane.apply(forwarding({target_group("a", Backend(loop, echo)): 1}))
    body = b"0123456789" * 300_000
    answer = requests.post(url(plane), data=body, timeout=20)
    assert (answer.content == body, answer.headers["X-Length"]) == (True, str(len(body)))
    chunked = requests.post(url(plane), data=iter([body[:100], body[100:]]), timeout=20)
    assert (chunked.content == body, chunked.headers["X-Length"]) == (True, "chunked")


def test_an_answer_that_breaks_off_breaks_off_at_the_client_too(loop: Loop, plane: LoadBalancing) -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x" * 100_000)
        assert request.transport is not None
        request.transport.abort()
        return response

    plane.apply(forwarding({target_group("a", Backend(loop, broken)): 1}))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        get(plane)


def test_head_and_empty_answers_keep_their_meaning(loop: Loop, plane: LoadBalancing) -> None:
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


def test_a_listeners_port_stays_while_it_lives_and_closes_with_it(loop: Loop, plane: LoadBalancing) -> None:
    first = forwarding({target_group("a", Backend(loop, says("1"))): 1})
    plane.apply(first)
    address = plane.addresses()
    assert get(plane).text == "1"
    plane.apply(forwarding({target_group("b", Backend(loop, says("2"))): 1}))
    assert (plane.addresses(), get(plane).text) == (address, "2")
    old = url(plane)
    plane.apply(Snapshot())
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


def test_no_request_fails_through_weight_changes_and_deregistrations(
    loop: Loop, plane: LoadBalancing
) -> None:
    blue, green = [[Backend(loop, says(name)) for _ in range(2)] for name in ("blue", "green")]
    groups = [target_group("b", *blue), target_group("g", *green)]
    plane.apply(forwarding({groups[0]: 100, groups[1]: 0}))
    healthy(plane, *groups)
    stop, seen = threading.Event(), Counter[str]()
    probing = asyncio.run_coroutine_threadsafe(probe(url(plane), stop, 350, seen), loop.loop)
    for step in (10, 50, 90, 100):
        wait_for_more(seen, 150)
        plane.apply(forwarding({groups[0]: 100 - step, groups[1]: step}))
    wait_for_more(seen, 150)
    # One of green's targets leaves: deregistered, drained, and only then stopped.
    left = target_group("g", green[1])
    plane.apply(forwarding({groups[0]: 0, left: 100}))
    wait_until(lambda: len(states(plane, left)) == 1)
    green[0].stop()
    wait_for_more(seen, 150)
    stop.set()
    probing.result(20)
    assert set(seen) == {"200 blue", "200 green"}, seen


def test_a_target_that_stops_without_being_drained_fails_requests(loop: Loop, plane: LoadBalancing) -> None:
    """Negative control of the test before: the same probe sees it when draining is left out."""
    backends = [Backend(loop, says("x")), Backend(loop, says("y"))]
    group = target_group("a", *backends, interval=300)
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    stop, seen = threading.Event(), Counter[str]()
    probing = asyncio.run_coroutine_threadsafe(probe(url(plane), stop, 300, seen), loop.loop)
    wait_for_more(seen, 100)
    backends[0].stop()
    wait_for_more(seen, 100)
    stop.set()
    probing.result(20)
    assert any(key.startswith("502") for key in seen)


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody but the test take the metrics."""
    monkeypatch.setattr("local_aws.services.elbv2.service.PUBLISH_EVERY", 24 * 3600)


@pytest.mark.usefixtures("silence")
def test_metrics_count_requests_errors_and_hosts(loop: Loop, plane: LoadBalancing) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/bad" else 200)

    group, empty = target_group("a", Backend(loop, answer)), target_group("b")
    plane.apply(forwarding({group: 1}))
    healthy(plane, group)
    for path in ("/", "/", "/bad"):
        get(plane, path)
    plane.apply(forwarding({empty: 1}))
    get(plane)
    data = plane.metrics.take(list(plane.data_plane.groups.values()))[ACCOUNT]
    found: dict[tuple[str, int], Any] = {
        (item["MetricName"], len(item["Dimensions"])): item.get("Value", item.get("Counts")) for item in data
    }
    assert found["RequestCount", 2] == found["RequestCount", 1] == 3
    assert found["HTTPCode_Target_5XX_Count", 2] == 1
    assert found["HTTPCode_ELB_5XX_Count", 1] == 1
    assert sum(found["TargetResponseTime", 2]) == 3
    assert data[0]["Dimensions"][-1] == {"Name": "LoadBalancer", "Value": "app/lb/1"}


def test_an_unhealthy_target_needs_the_healthy_threshold_to_come_back(
    loop: Loop, plane: LoadBalancing
) -> None:
    status = [500]

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status[0])

    backend = Backend(loop, answer)
    group = target_group("a", backend, healthy=3)
    plane.apply(forwarding({group: 1}))
    wait_until(lambda: states(plane, group)[0][0] == "unhealthy")
    before = backend.requests["/health"]
    status[0] = 200
    wait_until(lambda: states(plane, group)[0][0] == "healthy")
    assert backend.requests["/health"] - before >= 3


def test_stopping_ends_everything_quickly(loop: Loop, context: Context) -> None:
    with balancing(context) as plane:
        plane.apply(forwarding({target_group("a", Backend(loop, says("x"))): 1}))
        get(plane)
    assert plane._thread is not None
    assert not plane._thread.is_alive()


def test_a_target_that_is_well_is_asked_less_often_until_a_check_fails() -> None:
    group, clock = target_group("blue", interval=5), Clock(0.01)
    target = TargetState(Target("127.64.0.1", 8080))
    assert interval(clock, group, target) == 0.1, "a new one is known soon"
    target.pass_check(group.health_check)
    assert interval(clock, group, target) == 0.5
    target.fail_check(group.health_check, "Target.Timeout")
    assert interval(clock, group, target) == 0.1
    assert interval(Clock(1.0), group, target) == 5, "AWS's own interval is never made shorter"
