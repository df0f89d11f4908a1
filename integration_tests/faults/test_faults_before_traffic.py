"""Versions that pass every test and never become healthy on ECS: they get no traffic.

The tests share the package's environment; each begins in the steady state.
"""

from typing import Any

import pytest

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import FaultRun, inject_fault
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.faults.timing_overrides import grace_period
from integration_tests.support.waits import service_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
# Seconds; longer than the health checks' minute on both clouds.
TOO_SLOW_SECONDS = 120.0
# Seconds; a grace period of a minute is ten seconds on local_aws, too short for this on a slow machine.
SLOW_SECONDS = 4.0
GRACE_SECONDS = 1800


def assert_failed_before_traffic(run: FaultRun, release: Release) -> None:
    """Assert that a version failed in Install and got no traffic, and that notifications were sent."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["Install"] == "Failed"
    assert dict(release.events)["AllowTraffic"] == "Skipped"
    assert run.rollback == "Succeeded"
    figures = run.figures
    assert (figures.failures, set(figures.versions)) == (0, {run.old}), run.prober.failures[:3]
    run.wait_for_notifications()


def stop_failing_deployment(run: FaultRun, commit: str) -> dict[str, Any]:
    """Push `commit` and stop its deployment when one of its tasks is stopping; return the stopped task.

    Otherwise CodeDeploy would wait for an hour.
    """
    run.developer.push()
    deployment = run.wait_for_lifecycle_event(commit, "Install")
    task, *_ = run.wait_for_failing_tasks(deployment)
    run.stop(deployment)
    assert_failed_before_traffic(run, run.follow(commit))
    assert "MANUAL_STOP" in run.message
    return run.wait_for_stopped_task(task)


def test_a_version_that_crashes_at_start_fails_after_an_hour(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "green crashes at its start") as run:
        commit = commits.crash_at_start(run.developer)
        run.developer.push()
        deployment = run.wait_for_lifecycle_event(commit, "Install")
        # One more than desired: ECS has replaced a crashed task.
        first, *_ = run.wait_for_failing_tasks(
            deployment, service_of(environment.scenario)["desiredCount"] + 1
        )
        task = run.wait_for_stopped_task(first)
        assert_failed_before_traffic(run, run.follow(commit))
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 1
    assert "timed out while waiting for the replacement task set to become healthy" in run.message


def test_a_version_that_never_binds_its_port_is_stopped_and_rolled_back(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "green never binds its port") as run:
        task = stop_failing_deployment(run, commits.bind_wrong_port(run.developer))
    assert task["stoppedReason"].startswith("Task failed"), "either health check may be first"
    assert "health checks" in task["stoppedReason"]


def test_a_version_that_starts_too_slowly_is_stopped_by_its_health_checks(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "green starts more slowly than its grace period") as run:
        task = stop_failing_deployment(run, commits.start_slowly(run.developer, TOO_SLOW_SECONDS))
    assert "health checks" in task["stoppedReason"]


def test_a_version_that_exceeds_its_memory_is_killed(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "green runs out of memory") as run:
        task = stop_failing_deployment(run, commits.exhaust_memory(run.developer, 1024))
    (container,) = task["containers"]
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert container["exitCode"] == 137


def test_a_version_that_starts_slowly_within_its_grace_period_is_released(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "green starts slowly, within its grace period") as run:
        commit = commits.start_slowly(run.developer, SLOW_SECONDS)
        with grace_period(environment.scenario, GRACE_SECONDS):
            run.release = environment.scenario.push(run.developer, commit)
        figures = run.figures
        assert (figures.failures, set(figures.versions)) == (0, {run.old, commit}), run.prober.failures[:3]
    assert run.notifications.messages == []
