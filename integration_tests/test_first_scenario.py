"""The first scenario: a commit goes from git push to all traffic, and destroy leaves nothing behind.

The tests share one environment and run in file order.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from harness.cloud import Cloud
from harness.dashboard.event_stream import record_events
from harness.dashboard.process import start_dashboard
from harness.developer import Developer
from harness.environment import Environment
from harness.iam_usage import iam_report
from harness.live_role import LIVE_ROLE, with_live_role
from harness.notifications import LoggedEvent, subscribed, wait_for_logged_events
from harness.permissions import count_needed, statements, unexplained
from harness.release import newest_of
from harness.scenario import Scenario
from harness.suffixes import random_suffix
from integration_tests.support.scenario_fixtures import running_scenario, take_suffix
from integration_tests.support.sockets import listening_addresses, non_loopback, process_tree
from operations import listener_drift, preflight
from operations.names import Names
from operations.preflight.check import Subject
from operations.status import four_keys

# On AWS the module takes hours, on local_aws minutes.
pytestmark = pytest.mark.timeout(4 * 3600)

RATE = 100.0
# Only what is left over after a failure is deleted.
UNUSED_OF_LIVE_ROLE = {"DeleteWhatCloudFormationLeaves"}
BUILD_STATES = {"IN_PROGRESS", "SUCCEEDED", "FAILED"}


def test_preflight_finds_no_error_before_the_first_deploy(scenario: Scenario) -> None:
    scenario.environment.bootstrap()
    account = scenario.cloud.account
    preflight.fix(account)
    found = preflight.inspect(Subject(scenario.environment.suffix, account))
    assert not found.errors, found.errors


def test_listener_drift_is_found_and_repaired(deployed: Scenario) -> None:
    suffix, account = deployed.environment.suffix, deployed.cloud.account
    version, traffic = deployed.served_version(), listener_drift.inspect(suffix, account)
    assert not traffic.drifted
    production = next(one for one in traffic.listeners if one.route == "production")
    (idle,) = set(traffic.groups) - {traffic.primary}
    action = {"Type": "forward", "TargetGroupArn": idle}
    account.client("elbv2").modify_listener(ListenerArn=production.arn, DefaultActions=[action])
    deployed.wait_until_served("no version (status 503)")
    drifted = listener_drift.inspect(suffix, account)
    assert [one.route for one in drifted.drifted] == ["production"]
    listener_drift.repair(drifted, account, deployed.progress.step)
    deployed.wait_until_served(version)
    assert not listener_drift.inspect(suffix, account).drifted
    # The 503 responses may have set off an alarm, which would stop the next deployment.
    deployed.wait_until_no_alarm()


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The scenario of the module, with the permissions of `AWS_LIVE_ROLE_ARN` and no others."""
    suffix = take_suffix(request.config) or random_suffix("it")
    # The account's owner bootstraps it.
    Environment(cloud, suffix).bootstrap()
    with running_scenario(with_live_role(cloud), request, suffix=suffix) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def dashboard(deployed: Scenario) -> str:
    """The URL of the dashboard."""
    return start_dashboard(deployed.cloud, deployed.environment.suffix, port=0, until=os.getpid())


@pytest.fixture(scope="module")
def recorded_events() -> list[tuple[str, Any]]:
    """The events of the dashboard during the release."""
    return []


def test_a_commit_reaches_all_traffic_without_a_failed_request(
    deployed: Scenario, developer: Developer, dashboard: str, recorded_events: list[tuple[str, Any]]
) -> None:
    old = developer.head
    assert deployed.served_version() == old, "the seeded commit is served, not the bootstrap server"
    with deployed.probing() as prober, record_events(dashboard, recorded_events):
        commit = developer.greet("Hello from a test")
        deployed.push(developer, commit)
        figures = deployed.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert figures.rate >= RATE
    assert set(figures.versions) == {old, commit}


def test_the_dashboard_showed_that_release(
    developer: Developer, dashboard: str, recorded_events: list[tuple[str, Any]]
) -> None:
    new, old = developer.git("rev-parse", "HEAD", "HEAD~1").split()
    parts: dict[str, list[Any]] = {}
    for name, part in recorded_events:
        assert "error" not in part, f"{name}: {part['error']}"
        parts.setdefault(name, []).append(part)
    assert_stages_shown(parts["pipeline"], new)
    assert_shift_shown(parts["target_groups"], old, new)
    assert_requests_shown(parts["traffic"], {old, new})
    assert any("Phase complete: BUILD" in line for line in parts["logs"][-1]["build"])
    newest = parts["pipeline"][-1]["releases"][0]
    report = requests.get(f"{dashboard}reports/{newest['execution']}", timeout=60)
    assert f"commit <code>{new[:7]}</code>, Succeeded" in report.text


def test_the_table_of_environments_leads_to_it(
    deployed: Scenario, developer: Developer, dashboard: str
) -> None:
    suffix = deployed.environment.suffix
    table = requests.get(dashboard.removesuffix(f"{suffix}/"), timeout=60).text
    assert f'<a href="./{suffix}/">{suffix}</a>' in table
    assert f"<code>{developer.head[:7]}</code> Greet with Hello from a test" in table
    assert requests.get(dashboard, timeout=60).ok


def assert_stages_shown(parts: list[Any], commit: str) -> None:
    """Assert that the dashboard showed a commit while it was in Build and in Deploy."""
    stages = {(one["name"], one["status"], one["commit"]) for part in parts for one in part["stages"]}
    assert {(name, "InProgress", commit) for name in ("Build", "Deploy")} <= stages


def assert_shift_shown(parts: list[Any], old: str, new: str) -> None:
    """Assert that the dashboard showed the old version alone, the canary, and the new version alone."""
    shares = [{one["version"]: one["production"] for one in part["target_groups"]} for part in parts]
    assert shares[0][old] == shares[-1][new] == 100
    assert {old: 90, new: 10} in shares, "the canary's tenth"


def assert_requests_shown(parts: list[Any], versions: set[str]) -> None:
    """Assert that the dashboard counted requests to both versions, and no failure."""
    readings = [reading for part in parts for reading in part["readings"]]
    assert {version for reading in readings for version in reading["versions"]} == versions
    assert not any(reading["failed"] for reading in readings)


def test_no_process_can_be_reached_from_another_machine(deployed: Scenario) -> None:
    """Containers of docker and podman listen on a bridge, which only this machine reaches."""
    if deployed.cloud.endpoint is None:
        pytest.skip("on AWS, security groups decide who may connect")
    found = listening_addresses(process_tree(os.getpid()))
    tasks = 2 if deployed.cloud.containers.startswith("processes") else 0
    assert len(found) >= 3 + tasks, "the endpoint, two listeners and the tasks"
    assert non_loopback(found) == set()


def test_a_deploy_without_a_change_moves_no_traffic(deployed: Scenario) -> None:
    before = deployed.traffic()
    changed = deployed.deploy()
    assert not changed
    assert deployed.traffic() == before


def test_a_push_to_another_branch_starts_nothing(deployed: Scenario, developer: Developer) -> None:
    before = len(deployed.releases.executions())
    developer.git("checkout", "--quiet", "-b", "feature")
    commit = developer.greet("Hello from a branch")
    developer.push("feature")
    assert deployed.releases.head("feature") == commit
    # The next test's push starts an execution, so the pipeline would have started one for this push.
    developer.git("checkout", "--quiet", "main")
    assert newest_of(commit, deployed.releases.executions()) is None
    assert len(deployed.releases.executions()) == before


def test_a_commit_that_fails_a_test_never_leaves_the_build(deployed: Scenario, developer: Developer) -> None:
    old = deployed.served_version()
    with (
        deployed.probing() as prober,
        subscribed(deployed.cloud, deployed.outputs.topic_arn) as notifications,
    ):
        commit = developer.break_a_test()
        developer.push()
        release = deployed.follow(commit)
        figures = prober.figures()
        messages = notifications.wait_for_failure(release)
    assert release.status == "Failed"
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}
    assert release.deployment is None
    assert set(figures.versions) == {old}
    assert figures.failures == 0
    assert len(messages) == 3, "one for the build, one for its stage, one for the pipeline"
    assert any(f"{release.build} ended with FAILED" in message for message in messages)
    executions = [one["status"] for one in deployed.releases.executions()]
    assert len(executions) == 3, "of the seed, the first push and this one; none of the branch"


def test_the_event_log_has_the_whole_history(deployed: Scenario) -> None:
    expected = expected_events(deployed)

    def are_complete(events: set[LoggedEvent]) -> bool:
        return expected <= events and len(succeeded_deployments(events)) == 2

    group = deployed.outputs.event_log_group_name
    events = wait_for_logged_events(deployed.cloud, group, are_complete)
    runs = {one["pipelineExecutionId"] for one in deployed.releases.executions()}
    assert {event.run for event in events if event.kind == "Pipeline"} == runs
    deployments = {event.run for event in events if event.kind == "Deployment"}
    assert deployments == succeeded_deployments(events)
    assert {event.state for event in events if event.kind == "Build"} == BUILD_STATES
    keys = four_keys.read(deployed.cloud.account, Names(deployed.environment.suffix), datetime.now(UTC))
    assert keys is not None
    assert (keys.releases, keys.changes, keys.failures) == (2, 2, 0), "what fails in Build is no change"
    assert keys.lead_time


def expected_events(scenario: Scenario) -> set[LoggedEvent]:
    """Return the start and the end of every execution, and the failed one's stage, action and build."""
    runs = {one["pipelineExecutionId"]: one["status"].upper() for one in scenario.releases.executions()}
    after = list(runs)[:-1]
    # A new rule of EventBridge takes a moment until it matches, and the pipeline starts itself at once.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule.html
    starting = runs if scenario.cloud.endpoint else after
    (failed,) = (run for run, status in runs.items() if status == "FAILED")
    return {
        *(LoggedEvent("Pipeline", "STARTED", run=run) for run in starting),
        *(LoggedEvent("Pipeline", status, run=run) for run, status in runs.items()),
        LoggedEvent("Stage", "FAILED", "Build", failed),
        LoggedEvent("Action", "FAILED", "Test", failed),
        *(LoggedEvent("Build", state) for state in BUILD_STATES),
    }


def succeeded_deployments(events: set[LoggedEvent]) -> set[str]:
    """Return the deployments whose success is among the events."""
    return {event.run for event in events if (event.kind, event.state) == ("Deployment", "SUCCESS")}


def test_the_cloudwatch_dashboard_reads_the_event_log(deployed: Scenario) -> None:
    name = f"dashboard-{deployed.environment.suffix}"
    assert deployed.outputs.dashboard_url.endswith(f"/{name}")
    body = deployed.cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    for widget in json.loads(body)["widgets"]:
        if widget["type"] == "log":
            assert f"SOURCE '{deployed.outputs.event_log_group_name}'" in widget["properties"]["query"]


@pytest.mark.destroys
def test_destroy_after_two_releases_leaves_nothing(deployed: Scenario) -> None:
    deployed.destroy()


def test_every_permission_is_used_or_explained(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not report which statement allowed a call")
    suffixes = [folder.parent.name for folder in cloud.folder.glob("*/cdk.log")]
    found = statements(iam_report(cloud), suffixes)
    if not any(one.policy == "deployment-role" and one.used for one in found):
        pytest.skip("no scenario has released a commit in this session")
    needed, total = count_needed(found)
    print(f"{needed} of {total} statements are needed")
    assert not list(unexplained(found))


# It has an unused statement unless it destroys.
@pytest.mark.destroys
def test_each_statement_of_the_role_of_github_actions_is_used(cloud: Cloud) -> None:
    """A call that it does not allow fails a test above; unit_tests/harness/test_live_role.py has the rest."""
    if cloud.endpoint is None:
        pytest.skip("AWS does not report which statement allowed a call")
    every: Any = iam_report(cloud)["statements"]
    found = [one for one in every if one["policy"].startswith(f"role {LIVE_ROLE}:")]
    if not any(one["used"] for one in found):
        pytest.skip("no scenario has run with the role in this session")
    assert {one["sid"] for one in found if not one["used"]} == UNUSED_OF_LIVE_ROLE
    assert len(found) > len(UNUSED_OF_LIVE_ROLE)


def test_no_call_of_a_role_was_denied(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not report which calls it denied")
    refusals = iam_report(cloud)["refusals"]
    assert refusals == []
