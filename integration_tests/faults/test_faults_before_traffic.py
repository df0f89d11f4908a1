"""Versions that pass every test and never become healthy on ECS: no user meets one.

The tests of this package share one environment and run in the order in which they stand.
"""

import pytest

from integration_tests.developer import Developer
from integration_tests.faults import commits
from integration_tests.faults.record import Fault
from integration_tests.faults.scene import Scene, playing
from integration_tests.notices import Inbox
from integration_tests.release import Release
from integration_tests.story import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
# Longer than the minute that a task's health checks have on both clouds.
TOO_LONG = 120.0
NOT_LONG = 4.0


def assert_nobody_met(scene: Scene, old: str, release: Release) -> None:
    """Assert that a version failed in Install, that `old` alone answered, and that people were told."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["Install"] == "Failed"
    assert dict(release.events)["AllowTraffic"] == "Skipped"
    assert scene.left == "rollback Succeeded"
    figures = scene.figures
    assert (figures.failures, set(figures.versions)) == (0, {old}), scene.prober.failures[:3]
    scene.inbox.wait_for("Stage Deploy", "Pipeline pipeline-", f"Deployment {release.deployment}")


def test_a_version_that_crashes_at_its_start_is_given_up_after_an_hour(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green crashes at its start") as scene:
        commit = commits.crash_at_start(developer)
        developer.push()
        deployment = scene.until_begun(commit, "Install")
        task, *_ = scene.until_stopped(deployment, 2)
        release = scene.follow(commit)
        assert_nobody_met(scene, old, release)
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 1
    assert "timed out while waiting for the replacement task set to become healthy" in scene.words
    developer.revert()


def test_a_version_that_never_binds_its_port_is_stopped_by_a_person_and_rolled_back(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green never binds its port") as scene:
        commit = commits.bind_nowhere(developer)
        developer.push()
        deployment = scene.until_begun(commit, "Install")
        task, *_ = scene.until_stopped(deployment)
        scene.stop(deployment)
        assert_nobody_met(scene, old, scene.follow(commit))
    assert task["stoppedReason"].startswith("Task failed"), "one of its two health checks found it"
    assert "health checks" in task["stoppedReason"]
    assert "MANUAL_STOP" in scene.words
    developer.revert()


def test_a_version_that_starts_too_slowly_is_stopped_by_its_health_checks(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green starts more slowly than its grace period") as scene:
        commit = commits.start_slowly(developer, TOO_LONG)
        developer.push()
        deployment = scene.until_begun(commit, "Install")
        task, *_ = scene.until_stopped(deployment)
        scene.stop(deployment)
        assert_nobody_met(scene, old, scene.follow(commit))
    assert "health checks" in task["stoppedReason"]
    developer.revert()


def test_a_version_that_needs_more_memory_than_its_task_has_is_killed(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green runs out of memory") as scene:
        commit = commits.eat_memory(developer, 1024)
        developer.push()
        deployment = scene.until_begun(commit, "Install")
        task, *_ = scene.until_stopped(deployment)
        scene.stop(deployment)
        assert_nobody_met(scene, old, scene.follow(commit))
    (container,) = task["containers"]
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert container["exitCode"] == 137
    developer.revert()


def test_a_version_that_starts_slowly_within_its_grace_period_is_released(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green starts slowly, within its grace period") as scene:
        commit = commits.start_slowly(developer, NOT_LONG)
        scene.release = deployed.push(developer, commit)
        figures = scene.figures
        assert (figures.failures, set(figures.versions)) == (0, {old, commit}), scene.prober.failures[:3]
    developer.revert()
