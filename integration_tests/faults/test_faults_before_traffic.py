"""Versions that pass every test and never become healthy on ECS: no user meets one.

The tests share the package's environment; each begins from a settled state.
"""

from typing import Any

import pytest

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import Scene, playing
from integration_tests.faults.steady_state import Stage
from integration_tests.faults.timing_overrides import grace_period

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
# Longer than the minute that a task's health checks have on both clouds.
TOO_LONG = 120.0
# A minute's grace is ten seconds on local_aws, in which a slow machine does not start what waits for four.
NOT_LONG = 4.0
GRACE_SECONDS = 1800


def assert_nobody_met(scene: Scene, release: Release) -> None:
    """Assert that a version failed in Install, that the old one alone answered, and that people were told."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["Install"] == "Failed"
    assert dict(release.events)["AllowTraffic"] == "Skipped"
    assert scene.left == "rollback Succeeded"
    figures = scene.figures
    assert (figures.failures, set(figures.versions)) == (0, {scene.old}), scene.prober.failures[:3]
    scene.until_told()


def stopped_by_a_person(scene: Scene, commit: str) -> dict[str, Any]:
    """Push `commit` and stop its deployment as soon as one of its tasks ends; return that task.

    CodeDeploy would try for its hour.
    """
    scene.developer.push()
    deployment = scene.until_begun(commit, "Install")
    task, *_ = scene.until_failing(deployment)
    scene.stop(deployment)
    assert_nobody_met(scene, scene.follow(commit))
    assert "MANUAL_STOP" in scene.words
    return scene.stopped(task)


def test_a_version_that_crashes_at_its_start_is_given_up_after_an_hour(stage: Stage) -> None:
    with playing(stage, "green crashes at its start") as scene:
        commit = commits.crash_at_start(scene.developer)
        scene.developer.push()
        deployment = scene.until_begun(commit, "Install")
        # The second began after the first had crashed: ECS tries again.
        first, *_ = scene.until_failing(deployment, stage.service()["desiredCount"] + 1)
        task = scene.stopped(first)
        assert_nobody_met(scene, scene.follow(commit))
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 1
    assert "timed out while waiting for the replacement task set to become healthy" in scene.words


def test_a_version_that_never_binds_its_port_is_stopped_by_a_person_and_rolled_back(stage: Stage) -> None:
    with playing(stage, "green never binds its port") as scene:
        task = stopped_by_a_person(scene, commits.bind_nowhere(scene.developer))
    assert task["stoppedReason"].startswith("Task failed"), "one of its two health checks found it"
    assert "health checks" in task["stoppedReason"]


def test_a_version_that_starts_too_slowly_is_stopped_by_its_health_checks(stage: Stage) -> None:
    with playing(stage, "green starts more slowly than its grace period") as scene:
        task = stopped_by_a_person(scene, commits.start_slowly(scene.developer, TOO_LONG))
    assert "health checks" in task["stoppedReason"]


def test_a_version_that_needs_more_memory_than_its_task_has_is_killed(stage: Stage) -> None:
    with playing(stage, "green runs out of memory") as scene:
        task = stopped_by_a_person(scene, commits.eat_memory(scene.developer, 1024))
    (container,) = task["containers"]
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert container["exitCode"] == 137


def test_a_version_that_starts_slowly_within_its_grace_period_is_released(stage: Stage) -> None:
    with playing(stage, "green starts slowly, within its grace period") as scene:
        commit = commits.start_slowly(scene.developer, NOT_LONG)
        with grace_period(stage.scenario, GRACE_SECONDS):
            scene.release = stage.scenario.push(scene.developer, commit)
        figures = scene.figures
        assert (figures.failures, set(figures.versions)) == (0, {scene.old, commit}), scene.prober.failures[
            :3
        ]
    assert scene.inbox.messages == []
