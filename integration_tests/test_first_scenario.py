"""The first scenario: a commit travels from git push to all traffic, and nothing is left behind.

The tests share one environment and run in the order in which they stand.
"""

import json
import os
from typing import Any

import pytest
import requests

from harness.cloud import Cloud
from harness.dashboard.event_stream import record_events
from harness.dashboard.process import start_dashboard
from harness.developer import Developer
from harness.iam_usage import iam_report
from harness.notifications import LoggedEvent, subscribed, wait_for_logged_events
from harness.permissions import count_needed, statements, unexplained
from harness.release import newest_of
from harness.scenario import Scenario
from integration_tests.support.sockets import listening as listening_of
from integration_tests.support.sockets import non_loopback, processes
from operations import listener_drift, preflight
from operations.preflight.check import Subject

# On AWS the whole module takes hours; here, minutes.
pytestmark = pytest.mark.timeout(4 * 3600)

RATE = 100.0


def test_preflight_finds_nothing_to_mend_before_the_first_deploy(scenario: Scenario) -> None:
    scenario.environment.bootstrap()
    account = scenario.cloud.account
    preflight.fix(account)
    found = preflight.inspect(Subject(scenario.environment.suffix, account))
    assert not found.errors, found.errors


def test_guard_brings_back_the_traffic_that_somebody_moved(deployed: Scenario) -> None:
    suffix, account = deployed.environment.suffix, deployed.cloud.account
    version, traffic = deployed.served_version(), listener_drift.inspect(suffix, account)
    assert not traffic.drifted
    production = next(one for one in traffic.listeners if one.route == "production")
    (idle,) = set(traffic.groups) - {traffic.primary}
    action = {"Type": "forward", "TargetGroupArn": idle}
    account.client("elbv2").modify_listener(ListenerArn=production.arn, DefaultActions=[action])
    deployed.wait_until_served("nobody (status 503)")
    drifted = listener_drift.inspect(suffix, account)
    assert [one.route for one in drifted.drifted] == ["production"]
    listener_drift.repair(drifted, account, deployed.progress.step)
    deployed.wait_until_served(version)
    assert not listener_drift.inspect(suffix, account).drifted


@pytest.fixture(scope="module")
def page(deployed: Scenario) -> str:
    """The URL of the page that a person would keep open."""
    return start_dashboard(deployed.cloud, deployed.environment.suffix, port=0, until=os.getpid())


@pytest.fixture(scope="module")
def shown() -> list[tuple[str, Any]]:
    """What the page was sent during the release."""
    return []


def test_a_commit_reaches_all_traffic_without_a_failed_request(
    deployed: Scenario, developer: Developer, page: str, shown: list[tuple[str, Any]]
) -> None:
    old = developer.head
    assert deployed.served_version() == old, "the seeded commit answers, not the placeholder"
    with deployed.probing() as prober, record_events(page, shown):
        commit = developer.greet("Hello from a test")
        deployed.push(developer, commit)
        figures = deployed.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert figures.rate >= RATE
    assert set(figures.versions) == {old, commit}


def test_the_page_showed_that_release_while_it_travelled(
    developer: Developer, page: str, shown: list[tuple[str, Any]]
) -> None:
    new, old = developer.git("rev-parse", "HEAD", "HEAD~1").split()
    parts: dict[str, list[Any]] = {}
    for name, part in shown:
        assert "error" not in part, f"{name}: {part['trouble']}"
        parts.setdefault(name, []).append(part)
    stages = {
        (one["name"], one["status"], one["commit"]) for part in parts["pipeline"] for one in part["stages"]
    }
    assert {(name, "InProgress", new) for name in ("Build", "Deploy")} <= stages
    shares = [
        {one["version"]: one["production"] for one in part["target_groups"]}
        for part in parts["target_groups"]
    ]
    assert shares[0][old] == shares[-1][new] == 100
    assert {old: 90, new: 10} in shares, "the canary's tenth"
    moments = [one for part in parts["traffic"] for one in part["moments"]]
    assert {version for one in moments for version in one["versions"]} == {old, new}
    assert not any(one["failed"] for one in moments)
    assert any("Phase complete: BUILD" in line for line in parts["logs"][-1]["build"])
    newest = parts["pipeline"][-1]["releases"][0]
    report = requests.get(f"{page}reports/{newest['execution']}", timeout=60)
    assert f"commit <code>{new[:7]}</code>, Succeeded" in report.text


def test_nothing_that_runs_here_can_be_reached_from_another_machine(deployed: Scenario) -> None:
    """With an engine, containers listen on its bridge: docker and podman open that to this machine alone."""
    if deployed.cloud.endpoint is None:
        pytest.skip("on AWS, the security groups say who may connect")
    found = listening_of(processes(os.getpid()))
    assert len(found) >= 5, "the endpoint, two listeners and two tasks"
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
    # Something that does start shows that the road was open all the time: the next test's push.
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
        messages = notifications.wait_for("Stage Build", "Pipeline pipeline-", "Build arn:")
    assert release.status == "Failed"
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}
    assert release.deployment is None
    assert set(figures.versions) == {old}
    assert figures.failures == 0
    assert len(messages) == 3, "one of the build, one of its stage, one of the pipeline"
    assert all(text in str(messages) for text in (release.execution, str(release.build), "ended with FAILED"))
    executions = [one["status"] for one in deployed.releases.executions()]
    assert len(executions) == 3, "the seed's, the first push's and this one's: the branch started none"


def test_the_event_log_has_the_whole_history(deployed: Scenario) -> None:
    runs = {one["pipelineExecutionId"]: one["status"].upper() for one in deployed.releases.executions()}
    ends = {LoggedEvent("Pipeline", status, run=run) for run, status in runs.items()}
    events = wait_for_logged_events(deployed.cloud, deployed.outputs.event_log_group_name, ends.issubset)
    started = {event.run for event in events if (event.kind, event.state) == ("Pipeline", "STARTED")}
    assert started == set(runs), "the run that AWS starts by itself is in it too"
    (failed,) = (run for run, status in runs.items() if status == "FAILED")
    assert {LoggedEvent(kind, "FAILED", "Build", failed) for kind in ("Stage", "Action")} <= events
    assert {event.state for event in events if event.kind == "Build"} == {
        "IN_PROGRESS",
        "SUCCEEDED",
        "FAILED",
    }
    deployments = {event for event in events if event.kind == "Deployment"}
    succeeded = {event.run for event in deployments if event.state == "SUCCESS"}
    assert {event.run for event in deployments} == succeeded
    assert len(succeeded) == 2


def test_the_dashboard_can_be_drawn(deployed: Scenario) -> None:
    name = f"dashboard-{deployed.environment.suffix}"
    assert deployed.outputs.dashboard_url.endswith(f"/{name}")
    body = deployed.cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    for widget in json.loads(body)["widgets"]:
        if widget["type"] == "log":
            assert f"SOURCE '{deployed.outputs.event_log_group_name}'" in widget["properties"]["query"]


def test_destroy_after_two_releases_leaves_nothing(deployed: Scenario) -> None:
    deployed.destroy()


def test_every_permission_is_used_or_explained(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not tell which statement allowed a call")
    suffixes = [folder.parent.name for folder in cloud.folder.glob("*/cdk.log")]
    found = statements(iam_report(cloud), suffixes)
    if not any(one.policy == "deployment-role" and one.used for one in found):
        pytest.skip("no scenario has released anything in this session")
    killed, total = count_needed(found)
    print(f"{killed} of {total} statements are missed when they are taken away")
    assert not list(unexplained(found))


def test_no_role_was_refused_anything(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not tell which calls it refused")
    refusals = iam_report(cloud)["refusals"]
    assert refusals == []
