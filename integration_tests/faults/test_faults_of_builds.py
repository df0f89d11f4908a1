"""Builds that are killed or hang: their commits are not released, and the next build succeeds.

The tests share the package's environment; each begins in the steady state.
"""

import pytest

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import FaultRun, inject_fault
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.faults.timing_overrides import shortest_timeout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]


def assert_failed_in_build(run: FaultRun, release: Release) -> None:
    """Assert that a commit failed in Build without a failed request, and that notifications were sent."""
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}, release
    assert release.deployment is None
    figures = run.figures
    assert (figures.failures, set(figures.versions)) == (0, {run.old}), run.prober.failures[:3]
    run.wait_for_notifications()


def test_a_stopped_build_fails_its_stage(environment: FaultEnvironment) -> None:
    with inject_fault(environment, "the build is stopped") as run:
        # The build hangs, so that there is time to stop it.
        commit = commits.hang_the_build(run.developer)
        run.developer.push()
        build = run.wait_for_build_phase(commit, "BUILD")
        environment.scenario.cloud.client("codebuild").stop_build(id=build)
        release = run.follow(commit)
        assert_failed_in_build(run, release)
    assert "Build terminated with state: STOPPED" in release.reason


def test_a_killed_build_command_has_exit_status_137(environment: FaultEnvironment) -> None:
    with inject_fault(environment, "the build's process is killed with -9") as run:
        commit = commits.kill_the_build(run.developer)
        run.developer.push()
        release = run.follow(commit)
        assert_failed_in_build(run, release)
    assert "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR" in release.reason
    assert release.reason.endswith("Reason: exit status 137")


def test_a_hanging_build_is_ended_by_its_timeout(environment: FaultEnvironment) -> None:
    with inject_fault(environment, "the build hangs past its timeout") as run:
        commit = commits.hang_the_build(run.developer)
        with shortest_timeout(environment.scenario):
            run.developer.push()
            release = run.follow(commit)
        assert_failed_in_build(run, release)
    assert "Phase: BUILD, Code: BUILD_TIMED_OUT, Message: Build has timed out." in release.reason


def test_a_build_without_disk_space_fails_with_the_reason(
    environment: FaultEnvironment,
) -> None:
    with inject_fault(environment, "the disk for the report is full") as run:
        commit = commits.fill_the_disk(run.developer)
        run.developer.push()
        release = run.follow(commit)
        assert_failed_in_build(run, release)
    assert "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR" in release.reason
    assert "No space left on device" in run.message
