"""Every gate stops the commit made for it without a failed request, and a good commit is released after it.

The tests share one environment and run in file order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.developer import Developer
from harness.notifications import NotificationQueue, subscribed
from harness.prober import Prober
from harness.release import Release
from harness.release_logs import error_message, hook_line
from harness.scenario import Scenario
from integration_tests.support.bad_commits import BEHIND_THE_TEST_LISTENER, BUILD, IN_PRODUCTION, BadCommit
from operations.waiting import NotYetError, wait_for
from operations.why import explain
from operations.why.cause import Explanation

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests per second; a tenth of the second rate is enough for the alarm.
RATE, ENOUGH_FOR_AN_ALARM = 40.0, 120.0
BEFORE_THE_HOOK = ("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic")
AFTER_THE_HOOK = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")


@contextmanager
def monitored(scenario: Scenario, rate: float = RATE) -> Iterator[tuple[Prober, NotificationQueue]]:
    """Probe the service and receive its notifications while the context is open."""
    with (
        scenario.probing(rate) as prober,
        subscribed(scenario.cloud, scenario.outputs.topic_arn) as notifications,
    ):
        yield prober, notifications


def push_bad_commit(scenario: Scenario, developer: Developer, bad: BadCommit) -> Release:
    """Push a bad commit; return its release, which has failed with the expected message."""
    bad.make(developer.clone)
    commit = developer.commit(f"Add {bad.name} on purpose")
    developer.push()
    release = scenario.follow(commit)
    assert release.status == "Failed", release
    assert bad.expected in error_message(scenario.cloud, release, bad.expected)
    assert_explained(scenario, release, bad)
    return release


def assert_explained(scenario: Scenario, release: Release, bad: BadCommit) -> None:
    """Assert that `operations why` names the gate, its reason and what to do about a release."""
    gate, reason = bad.why

    def look() -> Explanation:
        found = explain(scenario.environment.suffix, scenario.cloud.account, release.execution)
        # It reads logs, which are late on AWS.
        if found.cause is None or reason not in found.cause.reason:
            raise NotYetError(str(found.cause))
        return found

    explanation = wait_for(f"the reason {reason!r}", look, deadline=scenario.cloud.minutes(5, own=0.5))
    assert (explanation.commit, explanation.status) == (release.commit, "Failed")
    assert explanation.cause is not None
    assert explanation.cause.gate.startswith(gate)
    assert explanation.cause.remedy


def assert_fix_is_released(scenario: Scenario, developer: Developer) -> Release:
    """Revert the bad commit, and assert that the release fails no request; return it."""
    return assert_released(scenario, developer, developer.revert())


def assert_released(scenario: Scenario, developer: Developer, commit: str) -> Release:
    """Push a commit, and assert that its release fails no request; return it."""
    old = scenario.served_version()
    with scenario.probing(RATE) as prober:
        release = scenario.push(developer, commit)
        figures = scenario.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}
    return release


def failed_tests(scenario: Scenario, release: Release) -> tuple[str, ...]:
    """Return the tests that failed, from the reports of a release's build (pitfall F12)."""
    client = scenario.cloud.client("codebuild")
    (build,) = client.batch_get_builds(ids=[release.build])["builds"]
    return tuple(
        case["name"]
        for report in build.get("reportArns", [])
        for case in client.describe_test_cases(reportArn=report, filter={"status": "FAILED"})["testCases"]
    )


def hook_log(scenario: Scenario, deployment: str) -> dict[str, Any]:
    """Return the line that the test-traffic hook logs about a deployment."""
    return hook_line(scenario.cloud, scenario.outputs.traffic_hook_log_group_name, deployment)


def assert_not_retried(scenario: Scenario, release: Release) -> None:
    """Assert that the function which retries Build has looked at a release, and left it alone."""
    group = f"/lambda/build-retry-{scenario.environment.suffix}"
    line = hook_line(scenario.cloud, group, release.execution)
    assert (line["retried"], line["faults"]) == (False, [])
    runs = [run["actionName"] for run in scenario.releases.actions(release.execution)]
    assert len(runs) == len(set(runs)), runs


@pytest.mark.parametrize("bad", BUILD, ids=lambda bad: bad.name)
def test_a_commit_is_stopped_in_the_build(deployed: Scenario, developer: Developer, bad: BadCommit) -> None:
    old, before = deployed.served_version(), deployed.traffic()
    with monitored(deployed) as (prober, notifications):
        release = push_bad_commit(deployed, developer, bad)
        figures = prober.figures()
        messages = notifications.wait_for_failure(release)
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}
    assert release.deployment is None
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old}
    assert_not_retried(deployed, release)
    assert len(messages) == 3, "one for the build, one for its stage, one for the pipeline"
    assert any(f"{release.build} ended with FAILED" in message for message in messages)
    assert deployed.traffic() == before
    assert failed_tests(deployed, release) == bad.failed_tests
    # Pushed with the next commit: Build has changed nothing, so one good commit after all of them is enough.
    developer.revert()


def test_the_commit_after_those_that_build_has_stopped_is_released(
    deployed: Scenario, developer: Developer
) -> None:
    assert_released(deployed, developer, developer.greet("Hello again"))


def test_a_version_that_fails_behind_the_load_balancer_is_stopped_before_any_traffic(
    deployed: Scenario, developer: Developer
) -> None:
    old, before = deployed.served_version(), deployed.traffic()
    with monitored(deployed) as (prober, notifications):
        release = push_bad_commit(deployed, developer, BEHIND_THE_TEST_LISTENER)
        assert release.deployment is not None
        rollback = deployed.releases.rollback(release.deployment)
        figures = prober.figures()
        notifications.wait_for_failure(release)
    assert_stopped_by_the_hook(release)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old}, "production traffic never moved"
    assert rollback == "Succeeded"
    assert deployed.traffic().task_sets == before.task_sets
    line = hook_log(deployed, release.deployment)
    assert (line["status"], line["commit"]) == ("Failed", release.commit)
    assert_passed_by_the_hook(deployed, assert_fix_is_released(deployed, developer))


def assert_stopped_by_the_hook(release: Release) -> None:
    """Assert that a release failed in the lifecycle event of the test-traffic hook."""
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
    assert dict(release.events) == {
        **dict.fromkeys(BEFORE_THE_HOOK, "Succeeded"),
        "AfterAllowTestTraffic": "Failed",
        **dict.fromkeys(AFTER_THE_HOOK, "Skipped"),
    }


def assert_passed_by_the_hook(scenario: Scenario, release: Release) -> None:
    """Assert that the hook got five responses from each path, all from the release's commit."""
    assert release.deployment is not None
    line = hook_log(scenario, release.deployment)
    assert line["status"] == "Succeeded"
    expected = f"200 of version {release.commit}"
    assert line["responses"] == {f"GET {path}: {expected}": 5 for path in ("/health", "/")}


def test_a_version_that_fails_in_the_canary_is_stopped_by_an_alarm_and_rolled_back(
    deployed: Scenario, developer: Developer
) -> None:
    """The only gate that needs production traffic: a tenth of it fails for a few of AWS's minutes."""
    old, before = deployed.served_version(), deployed.traffic()
    with monitored(deployed, ENOUGH_FOR_AN_ALARM) as (prober, notifications):
        release = push_bad_commit(deployed, developer, IN_PRODUCTION)
        assert release.deployment is not None
        rollback = deployed.releases.rollback(release.deployment)
        figures = prober.figures()
        notifications.wait_for_failure(release, "errors-")
        deployed.settle(prober, old)
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Succeeded", "Deploy": "Failed"}
    assert dict(release.events)["AfterAllowTestTraffic"] == "Succeeded", "the test-traffic hook passed it"
    assert 0 < figures.failures < figures.requests / 10, "at most the canary's tenth failed"
    assert set(figures.versions) == {old}
    assert set(figures.statuses) == {200, 500}
    assert any("ALARM" in message and "errors-" in message for message in notifications.messages)
    assert rollback == "Succeeded"
    assert deployed.traffic().task_sets == before.task_sets
    deployed.wait_until_no_alarm()
    assert_fix_is_released(deployed, developer)


@pytest.mark.destroys
def test_destroy_after_failed_releases_leaves_nothing(deployed: Scenario) -> None:
    deployed.destroy()
