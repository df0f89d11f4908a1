"""The gate before traffic: a version that only a load balancer can find out is stopped on the test listener.

The tests share one environment and run in the order in which they stand.
"""

import json
from typing import Any

import pytest

from integration_tests.developer import Developer
from integration_tests.story import Story
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(2 * 3600), pytest.mark.slow]

FINAL = frozenset({"Succeeded", "Failed", "Stopped"})


def rolled_back(story: Story, deployment: str) -> str:
    """Wait until the rollback of a deployment is over; return how it ended."""
    client = story.cloud.client("codedeploy")

    def look() -> str:
        failed = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
        back = failed.get("rollbackInfo", {}).get("rollbackDeploymentId")
        if back is None:
            raise NotYetError(f"{deployment} is {failed['status']} and has no rollback")
        status = str(client.get_deployment(deploymentId=back)["deploymentInfo"]["status"])
        if status not in FINAL:
            raise NotYetError(f"the rollback {back} is {status}")
        return status

    return wait_for(f"rollback of {deployment}", look, deadline=story.cloud.minutes(15))


def told(story: Story, deployment: str) -> dict[str, Any]:
    """Return what the hook wrote to its log about a deployment."""
    client = story.cloud.client("logs")

    def look() -> dict[str, Any]:
        group = f"/lambda/test-traffic-hook-{story.environment.suffix}"
        events = client.filter_log_events(logGroupName=group, filterPattern=f'"{deployment}"')["events"]
        lines = [event["message"] for event in events if event["message"].startswith("{")]
        if not lines:
            raise NotYetError(f"{group} has no line about {deployment}")
        line: dict[str, Any] = json.loads(lines[-1])
        return line

    return wait_for(f"the hook's line about {deployment}", look, deadline=60)


def test_a_version_that_fails_behind_the_load_balancer_is_stopped_before_any_traffic(
    deployed: Story, developer: Developer
) -> None:
    old, before = deployed.served(), deployed.traffic()
    with deployed.probing() as prober:
        commit = developer.fail_behind_a_load_balancer()
        developer.push()
        release = deployed.follow(commit)
        assert release.stage_statuses == {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
        assert release.deployment is not None
        back = rolled_back(deployed, release.deployment)
        figures = prober.figures()
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old}, "production traffic never moved"
    assert "HOOK_EXECUTION_FAILURE" in deployed.releases.words(release)
    assert dict(release.events) == {
        **dict.fromkeys(("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic"), "Succeeded"),
        "AfterAllowTestTraffic": "Failed",
        **dict.fromkeys(("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"), "Skipped"),
    }
    assert back == "Succeeded"
    assert deployed.traffic().task_sets == before.task_sets
    line = told(deployed, release.deployment)
    assert (line["status"], line["expected"]) == ("Failed", commit)
    assert f"GET /health: 500 {commit}" in line["answers"]
    assert f":8080/health answered 500 {commit}, not 200 {commit}" in line["reason"]


def test_the_next_good_commit_passes_the_gate(deployed: Story, developer: Developer) -> None:
    old = deployed.served()
    with deployed.probing() as prober:
        commit = developer.revert()
        release = deployed.push(developer, commit)
        figures = deployed.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}
    assert release.deployment is not None
    line = told(deployed, release.deployment)
    assert line["status"] == "Succeeded"
    assert line["answers"] == {f"GET {path}: 200 {commit}": 5 for path in ("/health", "/")}


def test_destroy_after_a_release_that_was_stopped_leaves_nothing(deployed: Story) -> None:
    deployed.destroy()
