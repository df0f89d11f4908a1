"""Every gate stops the commit that is made for it, traffic never notices, and the next good one goes through.

The tests share one environment and run in the order in which they stand.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.developer import Developer
from harness.notifications import NotificationQueue, subscribed
from harness.prober import Prober
from harness.release import Release
from harness.scenario import Scenario
from integration_tests.support.bad_commits import BEHIND_THE_TEST_LISTENER, BUILD, IN_PRODUCTION, BadCommit
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests a second; a canary's tenth of the second one is enough for the alarm.
RATE, ENOUGH_FOR_AN_ALARM = 40.0, 120.0
BEFORE_THE_HOOK = ("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic")
AFTER_THE_HOOK = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")


@contextmanager
def watched(scenario: Scenario, rate: float = RATE) -> Iterator[tuple[Prober, NotificationQueue]]:
    """Probe the service, and hear what its topic says."""
    with (
        scenario.probing(rate) as prober,
        subscribed(scenario.cloud, scenario.outputs.topic_arn) as notifications,
    ):
        yield prober, notifications


def stopped(scenario: Scenario, developer: Developer, bad: BadCommit) -> Release:
    """Push a bad commit; return its release, once it is over."""
    bad.make(developer.clone)
    commit = developer.commit(f"Make {bad.name} on purpose")
    developer.push()
    release = scenario.follow(commit)
    assert release.status == "Failed", release
    assert bad.says in scenario.releases.error_message(release)
    return release


def goes_through(scenario: Scenario, developer: Developer) -> Release:
    """Take the bad commit back, push, and see that nobody's request fails while that arrives."""
    old = scenario.served_version()
    with scenario.probing(RATE) as prober:
        commit = developer.revert()
        release = scenario.push(developer, commit)
        figures = scenario.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}
    return release


def told(scenario: Scenario, deployment: str) -> dict[str, Any]:
    """Return what the hook wrote to its log about a deployment."""
    client = scenario.cloud.client("logs")

    def look() -> dict[str, Any]:
        group = f"/lambda/test-traffic-hook-{scenario.environment.suffix}"
        events = client.filter_log_events(logGroupName=group, filterPattern=f'"{deployment}"')["events"]
        lines = [event["message"] for event in events if event["message"].startswith("{")]
        if not lines:
            raise NotYetError(f"{group} has no line about {deployment}")
        line: dict[str, Any] = json.loads(lines[-1])
        return line

    return wait_for(f"the hook's line about {deployment}", look, deadline=60)


@pytest.mark.parametrize("bad", BUILD, ids=lambda bad: bad.name)
def test_a_commit_is_stopped_in_the_build(deployed: Scenario, developer: Developer, bad: BadCommit) -> None:
    old, before = deployed.served_version(), deployed.traffic()
    with watched(deployed) as (prober, notifications):
        release = stopped(deployed, developer, bad)
        figures = prober.figures()
        messages = notifications.wait_for("Stage Build", "Pipeline pipeline-", "Build arn:")
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}
    assert release.deployment is None
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old}
    assert len(messages) == 3, "one of the build, one of its stage, one of the pipeline"
    assert all(text in str(messages) for text in (release.execution, str(release.build), "ended with FAILED"))
    assert deployed.traffic() == before
    goes_through(deployed, developer)


def test_a_version_that_fails_behind_the_load_balancer_is_stopped_before_any_traffic(
    deployed: Scenario, developer: Developer
) -> None:
    old, before = deployed.served_version(), deployed.traffic()
    with watched(deployed) as (prober, notifications):
        release = stopped(deployed, developer, BEHIND_THE_TEST_LISTENER)
        assert release.deployment is not None
        back = deployed.releases.rollback(release.deployment)
        figures = prober.figures()
        notifications.wait_for("Stage Deploy", "Pipeline pipeline-", f"Deployment {release.deployment}")
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old}, "production traffic never moved"
    assert dict(release.events) == {
        **dict.fromkeys(BEFORE_THE_HOOK, "Succeeded"),
        "AfterAllowTestTraffic": "Failed",
        **dict.fromkeys(AFTER_THE_HOOK, "Skipped"),
    }
    assert back == "Succeeded"
    assert deployed.traffic().task_sets == before.task_sets
    line = told(deployed, release.deployment)
    assert (line["status"], line["expected"]) == ("Failed", release.commit)
    passed = goes_through(deployed, developer)
    assert passed.deployment is not None
    line = told(deployed, passed.deployment)
    assert line["status"] == "Succeeded"
    assert line["answers"] == {f"GET {path}: 200 {passed.commit}": 5 for path in ("/health", "/")}


def test_a_version_that_goes_bad_in_the_canary_is_stopped_by_an_alarm_and_rolled_back(
    deployed: Scenario, developer: Developer
) -> None:
    """The first gate of all that needs users: only some requests, for some minutes of AWS's, are hurt."""
    old, before = deployed.served_version(), deployed.traffic()
    with watched(deployed, ENOUGH_FOR_AN_ALARM) as (prober, notifications):
        release = stopped(deployed, developer, IN_PRODUCTION)
        assert release.deployment is not None
        back = deployed.releases.rollback(release.deployment)
        hurt = prober.figures()
        messages = notifications.wait_for("Stage Deploy", f"Deployment {release.deployment}", "errors-")
        deployed.settle(prober, old)
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
    assert dict(release.events)["AfterAllowTestTraffic"] == "Succeeded", "the gate before let it pass"
    assert 0 < hurt.failures < hurt.requests / 10, "the canary's tenth, and no more"
    assert set(hurt.versions) == {old}
    assert set(hurt.statuses) == {200, 500}
    assert any("ALARM" in message and "errors-" in message for message in messages)
    assert back == "Succeeded"
    assert deployed.traffic().task_sets == before.task_sets
    deployed.wait_until_no_alarm()
    goes_through(deployed, developer)


def test_destroy_after_releases_that_were_stopped_leaves_nothing(deployed: Scenario) -> None:
    deployed.destroy()
