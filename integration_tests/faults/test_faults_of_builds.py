"""Builds that are killed or hang: nothing of them is released, and the next commit builds.

The tests share the package's environment; each begins from a settled state.
"""

import pytest

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import Scene, playing
from integration_tests.faults.steady_state import Stage
from integration_tests.faults.timing_overrides import shortest_timeout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]


def assert_never_left_the_build(scene: Scene, release: Release) -> None:
    """Assert that a commit ended in Build, unseen by users, and that people were told."""
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}, release
    assert release.deployment is None
    figures = scene.figures
    assert (figures.failures, set(figures.versions)) == (0, {scene.old}), scene.prober.failures[:3]
    scene.until_told()


def test_a_build_that_a_person_stops_fails_its_stage(stage: Stage) -> None:
    with playing(stage, "the build is stopped") as scene:
        # It hangs, so that nobody has to hurry.
        commit = commits.hang_the_build(scene.developer)
        scene.developer.push()
        build = scene.until_building(commit, "PRE_BUILD")
        stage.scenario.cloud.client("codebuild").stop_build(id=build)
        release = scene.follow(commit)
        assert_never_left_the_build(scene, release)
    assert "Build terminated with state: STOPPED" in release.why


def test_a_build_whose_process_is_killed_says_exit_status_137(stage: Stage) -> None:
    with playing(stage, "the build's process is killed with -9") as scene:
        commit = commits.kill_the_build(scene.developer)
        scene.developer.push()
        release = scene.follow(commit)
        assert_never_left_the_build(scene, release)
    assert "Phase: PRE_BUILD, Code: COMMAND_EXECUTION_ERROR" in release.why
    assert release.why.endswith("Reason: exit status 137")


def test_a_build_that_hangs_is_ended_by_its_timeout(stage: Stage) -> None:
    with playing(stage, "the build hangs past its timeout") as scene:
        commit = commits.hang_the_build(scene.developer)
        with shortest_timeout(stage.scenario):
            scene.developer.push()
            release = scene.follow(commit)
        assert_never_left_the_build(scene, release)
    assert "Phase: PRE_BUILD, Code: BUILD_TIMED_OUT, Message: Build has timed out." in release.why


def test_a_build_without_space_for_its_artifacts_says_so_and_is_not_released(stage: Stage) -> None:
    with playing(stage, "the disk for artifacts is full") as scene:
        commit = commits.fill_the_disk(scene.developer)
        scene.developer.push()
        release = scene.follow(commit)
        assert_never_left_the_build(scene, release)
    assert "Phase: POST_BUILD, Code: COMMAND_EXECUTION_ERROR" in release.why
    assert "No space left on device" in scene.words
