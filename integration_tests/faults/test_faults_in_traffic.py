"""Faults while two versions share the traffic, and the good release that each of them ends with.

The tests of this package share one environment and run in the order in which they stand.
"""

from typing import Any

import pytest
import requests

from integration_tests.developer import Developer
from integration_tests.faults import commits
from integration_tests.faults.record import Fault
from integration_tests.faults.scene import Scene, ended, playing
from integration_tests.notices import Inbox
from integration_tests.release import Release
from integration_tests.story import Story
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]

FAILED_IN_DEPLOY = {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}


def assert_brought_back(scene: Scene, old: str, release: Release) -> None:
    """Assert that a shift was broken off, that its rollback succeeded and that `old` alone is left."""
    assert release.stage_statuses == FAILED_IN_DEPLOY, release
    assert dict(release.events)["AfterAllowTestTraffic"] == "Succeeded", "the gate let it through"
    assert dict(release.events)["AllowTraffic"] == "Failed"
    assert scene.left == "rollback Succeeded"
    scene.story.settle(scene.prober, old)
    scene.inbox.wait_for("Stage Deploy", "Pipeline pipeline-", f"Deployment {release.deployment}")


def test_a_version_that_answers_500_to_users_alone_is_brought_back_by_an_alarm(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green answers 500") as scene:
        commit = commits.answer_500(developer)
        developer.push()
        release = scene.follow(commit)
        assert_brought_back(scene, old, release)
        figures = scene.figures
    assert "ALARM_ACTIVE" in scene.words
    assert "errors-" in scene.words
    assert 0 < figures.failures < figures.requests / 5, "no more than the canary's tenth met it"
    assert set(figures.statuses) == {200, 500}
    developer.revert()


def test_a_version_that_crashes_on_users_requests_is_brought_back_by_an_alarm(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "green crashes") as scene:
        commit = commits.crash_on_a_request(developer)
        developer.push()
        deployment = scene.until_begun(commit, "AllowTraffic")
        (task, *_) = scene.until_stopped(deployment)
        release = scene.follow(commit)
        assert_brought_back(scene, old, release)
        figures = scene.figures
    assert task["containers"][0]["exitCode"] in (1, 3)
    assert "ALARM_ACTIVE" in scene.words
    assert 0 < figures.failures < figures.requests / 5
    assert set(figures.statuses) <= {200, 502, 503}
    developer.revert()


def test_a_canary_that_a_person_stops_goes_back_without_a_failed_request(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "stop-deployment in the middle of a canary") as scene:
        commit = developer.greet("Hello from a canary that is stopped")
        developer.push()
        deployment = scene.until_begun(commit, "AllowTraffic")
        deployed.until_met(scene.prober, commit)
        scene.stop(deployment)
        release = scene.follow(commit)
        assert_brought_back(scene, old, release)
        figures = scene.figures
    assert "MANUAL_STOP" in scene.words
    assert figures.failures == 0, scene.prober.failures[:3]
    assert set(figures.versions) == {old, commit}


def test_of_two_pushes_at_once_the_older_is_superseded_and_the_newer_released(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    with playing(deployed, inbox, faults, "two pushes at once", settled=False) as scene:
        commits.have_a_trap_door(developer)
        first = developer.greet("Hello from the first push")
        developer.push()
        scene.until_building(first, "INSTALL")
        older = developer.greet("Hello from the older push")
        developer.push()
        scene.until_known(older)
        newer = developer.greet("Hello from the newer push")
        developer.push()
        superseded = scene.follow(older)
        assert deployed.follow(first).status == "Succeeded"
        scene.until_begun(newer, "AllowTraffic")
        commits.close_the_trap_door(developer)
        developer.push()  # what becomes of a push during a shift, the next test sees
        scene.release = deployed.arrive(newer)
        figures = scene.figures
    assert (superseded.status, superseded.deployment) == ("Superseded", None)
    assert figures.failures == 0, scene.prober.failures[:3]
    assert {first, newer} <= set(figures.versions)
    assert older not in figures.versions


def test_a_task_of_blue_that_dies_in_the_shift_of_the_push_that_waited_is_replaced(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    commit = developer.head
    with playing(deployed, inbox, faults, "a push during a shift, then a task of blue dies") as scene:
        old = deployed.served()
        assert old != commit, "a push leaves a shift alone"
        scene.until_begun(commit, "AllowTraffic")
        deployed.until_met(scene.prober, commit)
        task = crash_blue(scene)
        scene.task = ended(task)
        release = scene.follow(commit)
        left = commit if release.status == "Succeeded" else old
        deployed.settle(scene.prober, left)
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
    ecs, cluster = scene.story.cloud.client("ecs"), scene.story.outputs.cluster_name
    before = set(ecs.list_tasks(cluster=cluster)["taskArns"])
    url = scene.story.cloud.resolve(scene.story.outputs.service_url)
    while (answer := requests.get(f"{url}/crash", timeout=10)).status_code == 404:
        pass
    assert answer.status_code == 502, "the load balancer's own answer for a task that is gone"

    def look() -> dict[str, Any]:
        known = before.union(ecs.list_tasks(cluster=cluster)["taskArns"])
        tasks = ecs.describe_tasks(cluster=cluster, tasks=list(known))["tasks"]
        stopped = [one for one in tasks if one["taskArn"] in before and one["lastStatus"] == "STOPPED"]
        begun = [one["taskDefinitionArn"] for one in tasks if one["taskArn"] not in before]
        if not stopped or stopped[0]["taskDefinitionArn"] not in begun:
            raise NotYetError(f"{len(stopped)} tasks have stopped, and of {begun} others have begun")
        return dict(stopped[0])

    return wait_for("a task in place of the one that crashed", look, deadline=scene.story.cloud.minutes(5))


def test_the_next_good_commit_is_released(
    deployed: Story, developer: Developer, inbox: Inbox, faults: list[Fault]
) -> None:
    old = deployed.served()
    with playing(deployed, inbox, faults, "a good commit after all faults") as scene:
        commit = developer.greet("Hello from a version that is well")
        scene.release = deployed.push(developer, commit)
        figures = deployed.settle(scene.prober, commit)
    assert (figures.failures, set(figures.versions)) == (0, {old, commit}), scene.prober.failures[:3]
