"""Builds that are killed or hang: nothing of them is released, and the next commit builds.

The tests of this package share one environment and run in the order in which they stand.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration_tests.developer import Developer
from integration_tests.faults import commits
from integration_tests.faults.record import Fault
from integration_tests.faults.scene import Scene, playing
from integration_tests.notices import Inbox
from integration_tests.release import Release
from integration_tests.story import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]


def assert_never_left_the_build(scene: Scene, old: str, release: Release) -> None:
    """Assert that a commit ended in Build, unseen by users, and that people were told."""
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}, release
    assert release.deployment is None
    figures = scene.figures
    assert (figures.failures, set(figures.versions)) == (0, {old}), scene.prober.failures[:3]
    scene.inbox.wait_for("Stage Build", "Pipeline pipeline-", f"{release.build} ended with")


@contextmanager
def five_minutes_for_a_build(story: Story) -> Iterator[None]:
    """Let builds time out after CodeBuild's shortest time; on local_aws let that pass at a tenth (30 s)."""
    client, name = story.cloud.client("codebuild"), story.outputs.build_project_name
    (before,) = client.batch_get_projects(names=[name])["projects"]
    environment = before["environment"]
    asked = dict(environment)
    if story.cloud.endpoint:
        pace = {"name": "LOCAL_AWS_TIMEOUT_PACE", "value": "0.1", "type": "PLAINTEXT"}
        asked["environmentVariables"] = [*environment["environmentVariables"], pace]
    client.update_project(name=name, timeoutInMinutes=5, environment=asked)
    try:
        yield
    finally:
        minutes = before["timeoutInMinutes"]
        client.update_project(name=name, timeoutInMinutes=minutes, environment=environment)


def test_a_build_that_a_person_stops_fails_its_stage(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "the build is stopped") as scene:
        commit = developer.greet("Hello from a build that is stopped")
        developer.push()
        build = scene.until_building(commit, "PRE_BUILD")
        deployed.cloud.client("codebuild").stop_build(id=build)
        release = scene.follow(commit)
        assert_never_left_the_build(scene, old, release)
    assert "Build terminated with state: STOPPED" in release.why


def test_a_build_whose_process_is_killed_says_exit_status_137(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "the build's process is killed with -9") as scene:
        commit = commits.kill_the_build(developer)
        developer.push()
        release = scene.follow(commit)
        assert_never_left_the_build(scene, old, release)
    assert "Phase: PRE_BUILD, Code: COMMAND_EXECUTION_ERROR" in release.why
    assert release.why.endswith("Reason: exit status 137")
    developer.revert()


def test_a_build_that_hangs_is_ended_by_its_timeout(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "the build hangs past its timeout") as scene:
        commit = commits.hang_the_build(developer)
        with five_minutes_for_a_build(deployed):
            developer.push()
            release = scene.follow(commit)
        assert_never_left_the_build(scene, old, release)
    assert "Phase: PRE_BUILD, Code: BUILD_TIMED_OUT, Message: Build has timed out." in release.why
    developer.revert()


def test_a_build_without_space_for_its_artifacts_says_so_and_is_not_released(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "the disk for artifacts is full") as scene:
        commit = commits.fill_the_disk(developer)
        developer.push()
        release = scene.follow(commit)
        assert_never_left_the_build(scene, old, release)
    assert "Phase: POST_BUILD, Code: COMMAND_EXECUTION_ERROR" in release.why
    assert "No space left on device" in scene.words
    developer.revert()
