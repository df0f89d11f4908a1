"""Which targets get requests: healthy, unhealthy, draining, and none."""

import asyncio
import os
import threading
from collections import Counter

import pytest
from aiohttp import web

from local_aws.core.clock import Clock
from local_aws.services.elbv2.health import interval
from local_aws.services.elbv2.records import ElbSnapshot, Target
from local_aws.services.elbv2.service import LoadBalancing
from local_aws.services.elbv2.targets import TargetState
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Loop,
    forwarding,
    get,
    healthy,
    probe,
    says,
    states,
    target_group,
    url,
    wait_for_more,
    wait_until,
)


def test_healthy_targets_take_turns_and_an_unhealthy_one_gets_no_requests(
    loop: Loop, plane: LoadBalancing
) -> None:
    async def unhealthy(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/health" else 200, text="sick")

    group = target_group("a", Backend(loop, says("1")), Backend(loop, says("2")), Backend(loop, unhealthy))
    plane.apply(forwarding({group: 1}))
    wait_until(lambda: states(plane, group)[2] == ("unhealthy", "Target.ResponseCodeMismatch"))
    assert Counter(get(plane).text for _ in range(20)) == {"1": 10, "2": 10}


def test_a_group_with_no_healthy_target_fails_open(loop: Loop, plane: LoadBalancing) -> None:
    async def unhealthy(request: web.BaseRequest) -> web.Response:
        return web.Response(status=500 if request.path == "/health" else 200, text="sick")

    group = target_group("a", Backend(loop, unhealthy))
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


def test_a_deregistered_target_finishes_its_requests_and_gets_no_new_ones(
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


def test_a_target_group_without_a_listener_is_unused_and_is_not_checked(
    loop: Loop, plane: LoadBalancing
) -> None:
    backend = Backend(loop, says("x"))
    group = target_group("a", backend)
    unused = type(group)(group.arn, 8080, group.health_check, group.targets)
    plane.apply(ElbSnapshot({}, {group.arn: unused}))
    threading.Event().wait(0.4)
    assert states(plane, group) == [("unused", "Target.NotInUse")]
    assert backend.requests["/health"] == 0


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
    """Negative control of the test before: without draining, the same probe fails."""
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


def test_an_unhealthy_target_needs_the_healthy_threshold_to_become_healthy(
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


def test_a_healthy_target_is_checked_less_often_until_a_check_fails() -> None:
    group, clock = target_group("blue", interval=5), Clock(0.01)
    target = TargetState(Target("127.64.0.1", 8080))
    assert interval(clock, group, target) == 0.1, "a new one is known soon"
    target.pass_check(group.health_check)
    assert interval(clock, group, target) == 0.5
    target.fail_check(group.health_check, "Target.Timeout")
    assert interval(clock, group, target) == 0.1
    assert interval(Clock(1.0), group, target) == 5, "AWS's own interval is never made shorter"


def test_a_new_target_may_start_for_longer_on_a_loaded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def state(per_processor: float, seconds: float) -> str:
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        monkeypatch.setattr(os, "getloadavg", lambda: (2 * per_processor, 0.0, 0.0))
        check = target_group("blue", interval=5).health_check
        target = TargetState(Target("127.64.0.1", 8080))
        target.registered -= seconds
        for _ in range(check.unhealthy):
            target.fail_check(check, "Target.Timeout")
        return target.state

    assert state(0.5, 20) == "unhealthy"
    assert state(4.0, 20) == "initial"
    assert state(4.0, 60) == "unhealthy"
    assert state(50.0, 70) == "unhealthy", "what never answers is found on any machine"
