"""Faults while two versions share the traffic, and a good release.

The tests share the package's environment; each begins from a settled state.
"""

from typing import Any

import pytest
import requests

from harness.release import Release
from integration_tests.faults import commits
from integration_tests.faults.fault_run import Scene, ended, playing
from integration_tests.faults.steady_state import Stage
from integration_tests.faults.timing_overrides import AN_HOUR
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}


def assert_brought_back(scene: Scene, release: Release, *told: str) -> None:
    """Assert that a shift was broken off and rolled back, the old version alone is left, and who was told."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["AfterAllowTestTraffic"] == "Succeeded", "the gate let it through"
    assert dict(release.events)["AllowTraffic"] == "Failed"
    assert scene.left == "rollback Succeeded"
    scene.scenario.settle(scene.prober, scene.old)
    scene.until_told(*told)


def test_a_version_that_answers_500_to_users_alone_is_brought_back_by_an_alarm(stage: Stage) -> None:
    with playing(stage, "green answers 500") as scene, stage.canaries.lasting(AN_HOUR):
        commit = commits.answer_500(scene.developer)
        scene.developer.push()
        assert_brought_back(scene, scene.follow(commit), "errors-")
        figures = scene.figures
    assert "ALARM_ACTIVE" in scene.words
    assert "errors-" in scene.words
    assert 0 < figures.failures < figures.requests / 5, "no more than the canary's tenth met it"
    assert set(figures.statuses) == {200, 500}


def test_a_version_that_crashes_on_users_requests_is_brought_back_by_an_alarm(stage: Stage) -> None:
    with playing(stage, "green crashes") as scene, stage.canaries.lasting(AN_HOUR):
        commit = commits.crash_on_a_request(scene.developer)
        scene.developer.push()
        deployment = scene.until_begun(commit, "AllowTraffic")
        crashed, *_ = scene.until_failing(deployment)
        task = scene.stopped(crashed)
        assert_brought_back(scene, scene.follow(commit), "ALARM")
        figures = scene.figures
    assert task["containers"][0]["exitCode"] in (1, 3)
    assert "ALARM_ACTIVE" in scene.words
    assert 0 < figures.failures < figures.requests / 5
    assert set(figures.statuses) <= {200, 502, 503}


def test_a_canary_that_a_person_stops_goes_back_without_a_failed_request(stage: Stage) -> None:
    name = "stop-deployment in the middle of a canary"
    with playing(stage, name) as scene, stage.canaries.lasting(AN_HOUR):
        commit = scene.developer.greet("Hello from a canary that is stopped")
        scene.developer.push()
        deployment = scene.until_begun(commit, "AllowTraffic")
        stage.scenario.until_met(scene.prober, commit)
        scene.stop(deployment)
        assert_brought_back(scene, scene.follow(commit))
        figures = scene.figures
    assert "MANUAL_STOP" in scene.words
    assert figures.failures == 0, scene.prober.failures[:3]
    assert set(figures.versions) == {scene.old, commit}


def test_of_two_pushes_at_once_the_older_is_superseded_and_the_newer_released(stage: Stage) -> None:
    with playing(stage, "two pushes at once") as scene:
        with scene.nothing_enters("Build"):
            older = scene.developer.greet("Hello from the older push")
            scene.developer.push()
            scene.until_known(older)
            newer = scene.developer.greet("Hello from the newer push")
            scene.developer.push()
            superseded = scene.follow(older)
        scene.remark = f"of the older push: {superseded}"
        scene.release = stage.scenario.arrive(newer)
        figures = scene.figures
    assert (superseded.status, superseded.build, superseded.deployment) == ("Superseded", None, None)
    assert figures.failures == 0, scene.prober.failures[:3]
    assert set(figures.versions) == {scene.old, newer}
    assert scene.inbox.messages == [], "to be superseded is no failure"


def test_a_push_during_a_shift_waits_until_that_is_over_and_is_released(stage: Stage) -> None:
    with playing(stage, "a push during a shift") as scene:
        shifting = scene.developer.greet("Hello from a version that shifts")
        with stage.canaries.lasting(stage.canaries.lasting_a_build()):
            scene.developer.push()
            deployment = scene.until_begun(shifting, "AllowTraffic")
        pushed = scene.developer.greet("Hello from a push during a shift")
        scene.developer.push()
        scene.until_known(pushed)
        at_the_push = stage.scenario.releases.of(shifting)
        before = stage.scenario.follow(shifting)
        scene.remark = f"{pushed[:7]} waited for the end of {deployment}"
        scene.release = stage.scenario.arrive(pushed)
        figures = scene.figures
    assert at_the_push is not None
    assert dict(at_the_push.events)["AllowTraffic"] == "InProgress", "else it was no push during a shift"
    assert before.status == "Succeeded", before
    actions = stage.scenario.releases.actions(scene.release.execution)
    (waited,) = [one for one in actions if one["stageName"] == "Deploy"]
    over = stage.scenario.cloud.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert waited["startTime"] >= over["completeTime"]
    assert figures.failures == 0, scene.prober.failures[:3]
    assert set(figures.versions) == {scene.old, shifting, pushed}
    assert scene.inbox.messages == []


def test_a_task_of_blue_that_dies_in_a_shift_is_replaced(stage: Stage) -> None:
    with playing(stage, "a task of blue dies in a shift") as scene:
        if not commits.has_a_trap_door(scene.developer, scene.old):
            commit = scene.developer.commit("Have a trap door")
            stage.scenario.push(scene.developer, commit)
            scene.old = commit
        commit = commits.close_the_trap_door(scene.developer)
        with stage.canaries.lasting(stage.canaries.lasting_a_build()):
            scene.developer.push()
            scene.until_begun(commit, "AllowTraffic")
        stage.scenario.until_met(scene.prober, commit)
        task = crash_blue(scene)
        release = scene.follow(commit)
        left = commit if release.status == "Succeeded" else scene.old
        stage.scenario.settle(scene.prober, left)
        if release.status == "Failed":
            scene.until_told("ALARM")
        figures = scene.figures
    assert task["containers"][0]["exitCode"] in (1, 3)
    assert set(figures.statuses) <= {200, 502}, "only who was with the dead task noticed"
    assert figures.failures < figures.requests / 10
    # The alarm on five errors a minute decides: it cannot know whose task it was.
    assert (release.status == "Failed") == ("ALARM_ACTIVE" in scene.words), scene.words


def crash_blue(scene: Scene) -> dict[str, Any]:
    """Ask for the crash until blue, which alone has the trap door, takes it.

    Return the task that stopped, once ECS has begun another in its place.
    """
    ecs, cluster = scene.scenario.cloud.client("ecs"), scene.scenario.outputs.cluster_name
    (blue,) = [one for one in scene.stage.service()["taskSets"] if one["status"] == "PRIMARY"]
    before = set(ecs.list_tasks(cluster=cluster, startedBy=blue["id"])["taskArns"])
    url = scene.scenario.cloud.resolve(scene.scenario.outputs.service_url)

    def fall() -> None:
        status = requests.get(f"{url}/crash", timeout=10).status_code
        if status == 404:
            raise NotYetError("green answered")
        assert status == 502, "the load balancer's own answer for a task that is gone"

    def look() -> dict[str, Any]:
        begun = set(ecs.list_tasks(cluster=cluster, startedBy=blue["id"])["taskArns"]) - before
        tasks = ecs.describe_tasks(cluster=cluster, tasks=list(before))["tasks"]
        stopped = [one for one in tasks if one["lastStatus"] == "STOPPED"]
        if not stopped or not begun:
            raise NotYetError(f"{len(stopped)} tasks of blue have stopped, and {len(begun)} have begun")
        scene.remark = ended(stopped[0])
        return dict(stopped[0])

    wait_for("a crash of blue", fall, deadline=60, interval=0)
    return wait_for("a task in place of the one that crashed", look, deadline=scene.scenario.cloud.minutes(5))


def test_the_next_good_commit_is_released(stage: Stage) -> None:
    with playing(stage, "a good commit after all faults") as scene:
        commit = scene.developer.greet("Hello from a version that is well")
        scene.release = stage.scenario.push(scene.developer, commit)
        figures = stage.scenario.settle(scene.prober, commit)
    assert (figures.failures, set(figures.versions)) == (0, {scene.old, commit}), scene.prober.failures[:3]
