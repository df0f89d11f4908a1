"""Faults while two versions share the traffic, and a release without a fault.

The tests share the package's environment; each begins in the steady state.
"""

from typing import Any

import pytest
import requests

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import FaultRun, inject_fault, stop_reason
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.faults.timing_overrides import HOUR_MINUTES
from integration_tests.support.waits import service_of
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}


def assert_rolled_back(run: FaultRun, release: Release, *notified: str) -> None:
    """Assert that a shift was rolled back to the old version, and that notifications were sent."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["AfterAllowTestTraffic"] == "Succeeded", "the test-traffic hook passed it"
    assert dict(release.events)["AllowTraffic"] == "Failed"
    assert run.rollback == "Succeeded"
    run.scenario.settle(run.prober, run.old)
    run.wait_for_notifications(*notified)


def test_a_version_that_returns_500_to_users_is_rolled_back_by_an_alarm(
    environment: FaultEnvironment,
) -> None:
    with (
        inject_fault(environment, "green answers 500") as run,
        environment.canaries.lasting(HOUR_MINUTES),
    ):
        commit = commits.answer_500(run.developer)
        run.developer.push()
        assert_rolled_back(run, run.follow(commit), "errors-")
        figures = run.figures
    assert "ALARM_ACTIVE" in run.message
    assert "errors-" in run.message
    assert 0 < figures.failures < figures.requests / 5, "at most the canary's tenth failed"
    assert set(figures.statuses) == {200, 500}


def test_a_version_that_crashes_on_requests_is_rolled_back_by_an_alarm(
    environment: FaultEnvironment,
) -> None:
    with (
        inject_fault(environment, "green crashes") as run,
        environment.canaries.lasting(HOUR_MINUTES),
    ):
        commit = commits.crash_on_a_request(run.developer)
        run.developer.push()
        deployment = run.wait_for_lifecycle_event(commit, "AllowTraffic")
        crashed, *_ = run.wait_for_failing_tasks(deployment)
        task = run.wait_for_stopped_task(crashed)
        assert_rolled_back(run, run.follow(commit), "ALARM")
        figures = run.figures
    assert task["containers"][0]["exitCode"] in (1, 3)
    assert "ALARM_ACTIVE" in run.message
    assert 0 < figures.failures < figures.requests / 5
    assert set(figures.statuses) <= {200, 502, 503}


def test_a_stopped_canary_is_rolled_back_without_a_failed_request(
    environment: FaultEnvironment,
) -> None:
    name = "stop-deployment in the middle of a canary"
    with inject_fault(environment, name) as run, environment.canaries.lasting(HOUR_MINUTES):
        commit = run.developer.greet("Hello from a canary that is stopped")
        run.developer.push()
        deployment = run.wait_for_lifecycle_event(commit, "AllowTraffic")
        environment.scenario.wait_until_probed(run.prober, commit)
        run.stop(deployment)
        assert_rolled_back(run, run.follow(commit))
        figures = run.figures
    assert "MANUAL_STOP" in run.message
    assert figures.failures == 0, run.prober.failures[:3]
    assert set(figures.versions) == {run.old, commit}


def test_of_two_waiting_pushes_the_older_is_superseded_and_the_newer_released(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "two pushes at once") as run:
        with run.disabled_transition("Build"):
            older = run.developer.greet("Hello from the older push")
            run.developer.push()
            run.wait_for_execution(older)
            newer = run.developer.greet("Hello from the newer push")
            run.developer.push()
            superseded = run.follow(older)
        run.remark = f"of the older push: {superseded}"
        run.release = environment.scenario.wait_for_release(newer)
        figures = run.figures
    assert (superseded.status, superseded.build, superseded.deployment) == ("Superseded", None, None)
    assert figures.failures == 0, run.prober.failures[:3]
    assert set(figures.versions) == {run.old, newer}
    assert run.notifications.messages == [], "a superseded execution is not a failure"


def test_a_push_during_a_shift_waits_for_its_end_and_is_released(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "a push during a shift") as run:
        shifting = run.developer.greet("Hello from a version that shifts")
        with environment.canaries.lasting(environment.canaries.minutes_of_a_build()):
            run.developer.push()
            deployment = run.wait_for_lifecycle_event(shifting, "AllowTraffic")
        pushed = run.developer.greet("Hello from a push during a shift")
        run.developer.push()
        run.wait_for_execution(pushed)
        at_the_push = environment.scenario.releases.of(shifting)
        before = environment.scenario.follow(shifting)
        run.remark = f"{pushed[:7]} waited for the end of {deployment}"
        run.release = environment.scenario.wait_for_release(pushed)
        figures = run.figures
    assert at_the_push is not None
    assert dict(at_the_push.events)["AllowTraffic"] == "InProgress", "the push was during the shift"
    assert before.status == "Succeeded", before
    actions = environment.scenario.releases.actions(run.release.execution)
    (waited,) = [one for one in actions if one["stageName"] == "Deploy"]
    over = environment.scenario.cloud.client("codedeploy").get_deployment(deploymentId=deployment)[
        "deploymentInfo"
    ]
    assert waited["startTime"] >= over["completeTime"]
    assert figures.failures == 0, run.prober.failures[:3]
    assert set(figures.versions) == {run.old, shifting, pushed}
    assert run.notifications.messages == []


def test_a_task_of_blue_that_crashes_in_a_shift_is_replaced(environment: FaultEnvironment) -> None:
    with inject_fault(environment, "a task of blue crashes in a shift") as run:
        if not commits.has_crash_route(run.developer, run.old):
            commit = run.developer.commit("Add the crash route")
            environment.scenario.push(run.developer, commit)
            run.old = commit
        commit = commits.remove_crash_route(run.developer)
        with environment.canaries.lasting(environment.canaries.minutes_of_a_build()):
            run.developer.push()
            run.wait_for_lifecycle_event(commit, "AllowTraffic")
        environment.scenario.wait_until_probed(run.prober, commit)
        task = crash_blue(run)
        release = run.follow(commit)
        left = commit if release.status == "Succeeded" else run.old
        environment.scenario.settle(run.prober, left)
        if release.status == "Failed":
            run.wait_for_notifications("ALARM")
        figures = run.figures
    assert task["containers"][0]["exitCode"] in (1, 3)
    assert set(figures.statuses) <= {200, 502}, "only requests to the crashed task failed"
    assert figures.failures < figures.requests / 10
    # The alarm on the share of 502 decides: it does not distinguish blue from green.
    assert (release.status == "Failed") == ("ALARM_ACTIVE" in run.message), run.message


def crash_blue(run: FaultRun) -> dict[str, Any]:
    """Request the crash route until blue, the only version that has it, handles the request.

    Return the task that stopped, once ECS has begun another in its place.
    """
    ecs, cluster = run.scenario.cloud.client("ecs"), run.scenario.outputs.cluster_name
    (blue,) = [one for one in service_of(run.scenario)["taskSets"] if one["status"] == "PRIMARY"]
    before = set(ecs.list_tasks(cluster=cluster, startedBy=blue["id"])["taskArns"])
    url = run.scenario.cloud.resolve(run.scenario.outputs.service_url)

    def crash() -> None:
        status = requests.get(f"{url}/crash", timeout=10).status_code
        if status == 404:
            raise NotYetError("green responded")
        assert status == 502, "the load balancer's response if a target closes the connection"

    def look() -> dict[str, Any]:
        begun = set(ecs.list_tasks(cluster=cluster, startedBy=blue["id"])["taskArns"]) - before
        tasks = ecs.describe_tasks(cluster=cluster, tasks=list(before))["tasks"]
        stopped = [one for one in tasks if one["lastStatus"] == "STOPPED"]
        if not stopped or not begun:
            raise NotYetError(f"{len(stopped)} tasks of blue have stopped, and {len(begun)} have begun")
        run.remark = stop_reason(stopped[0])
        return dict(stopped[0])

    cloud = run.scenario.cloud
    wait_for("a crash of blue", crash, deadline=cloud.minutes(1, own=1), interval=0)
    return wait_for("a task in place of the one that crashed", look, deadline=cloud.minutes(5))


def test_the_next_commit_without_a_fault_is_released(environment: FaultEnvironment) -> None:
    with inject_fault(environment, "no fault, after all others") as run:
        commit = run.developer.greet("Hello from a version without a fault")
        run.release = environment.scenario.push(run.developer, commit)
        figures = environment.scenario.settle(run.prober, commit)
    assert (figures.failures, set(figures.versions)) == (0, {run.old, commit}), run.prober.failures[:3]
