"""local_aws gets SIGKILL in each phase and starts again with its state: it resumes, or reports why it failed.

The tests share one local_aws and, except the last ones, one environment; they run in file order.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.developer import Developer
from harness.folders import run_folder
from harness.notifications import NotificationQueue, subscribed
from harness.prober import Figures
from harness.release import Release
from harness.release_logs import error_message
from harness.scenario import RELEASE_MINUTES, Scenario
from integration_tests.faults import commits
from integration_tests.support.restartable import RestartableServer, restartable
from integration_tests.support.scenario_fixtures import running_scenario
from integration_tests.support.waits import SHORT_INTERVAL, wait_for_stack, wait_until_steady
from operations.errors import OperationsError
from operations.root_stack import root_stack
from operations.waiting import NotYetError, wait_for

pytestmark = [
    pytest.mark.timeout(4 * 3600),
    pytest.mark.slow,
    pytest.mark.local_only("only local_aws can be killed"),
]

# Requests per second.
RATE = 50.0
# The test-traffic hook returns at once. Every other event lasts, and local_aws has saved it after this time.
SHORT_EVENT, SAVED_AFTER = "AfterAllowTestTraffic", timedelta(seconds=3)
INTERRUPTED = "local_aws ended during the operation"


@pytest.fixture(scope="module")
def server() -> Iterator[RestartableServer]:
    """A local_aws for this module alone."""
    with restartable(run_folder("killed")) as server:
        yield server


@pytest.fixture(scope="module")
def cloud(server: RestartableServer) -> Cloud:
    """The cloud of that local_aws."""
    return server.cloud


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment whose phases are long enough to be interrupted."""
    longer = {
        "deploymentConfig": "CodeDeployDefault.ECSCanary10Percent15Minutes",
        "terminationWaitMinutes": "15",
    }
    with running_scenario(cloud, request, context=longer) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def notifications(deployed: Scenario) -> Iterator[NotificationQueue]:
    """The messages of the environment's topic."""
    with subscribed(deployed.cloud, deployed.outputs.topic_arn) as queue:
        yield queue


@dataclass(frozen=True)
class Outcome:
    """How a release ends if local_aws is killed in `phase`, at `rate` requests per second."""

    phase: str
    message: str
    status: str = "Failed"
    rollback: str = "Succeeded"
    rate: float = RATE


OUTCOMES = (
    # A fault of CodeBuild's, which the function build-retry retries.
    Outcome("Build", "", "Succeeded", rollback=""),
    Outcome("Install", "INTERNAL_ERROR"),
    Outcome("AfterAllowTestTraffic", "INTERNAL_ERROR"),
    Outcome("AllowTraffic", "INTERNAL_ERROR"),
    # Green has all traffic and keeps it, unless requests that fail during the restart raise the alarm.
    Outcome("AfterAllowTraffic", "ALARM_ACTIVE"),
    Outcome("AfterAllowTraffic", "", "Succeeded", rollback="", rate=1),
)


def test_an_idle_environment_serves_again_and_nothing_is_changed(
    server: RestartableServer, deployed: Scenario
) -> None:
    old, before = deployed.served_version(), deployed.traffic()
    server.kill()
    server.start()
    deployed.wait_until_served(old)
    assert deployed.traffic() == before
    assert not deployed.deploy(), "CloudFormation has the same state as before"
    assert deployed.traffic() == before


def test_an_acknowledged_push_is_released(
    server: RestartableServer, deployed: Scenario, developer: Developer
) -> None:
    commit = developer.greet("Hello, pushed just before the kill")
    developer.push()
    server.kill()
    server.start()
    deployed.wait_for_release(commit)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: f"{outcome.phase}-{outcome.rate:g}")
def test_kill_during_release(
    outcome: Outcome,
    server: RestartableServer,
    deployed: Scenario,
    developer: Developer,
    notifications: NotificationQueue,
) -> None:
    deployed.wait_until_no_alarm()
    notifications.messages.clear()
    release, rollback, figures = release_with_kill(outcome, server, deployed, developer)
    deployed.progress.step(
        f"killed in {outcome.phase}: {release.status}, rollback: {rollback or 'none'}; "
        f"{figures.failures} of {figures.requests} requests failed"
    )
    assert release.status == outcome.status, release
    assert outcome.message in f"{release.reason} {error_message(deployed.cloud, release)}"
    assert rollback == outcome.rollback
    if outcome.phase == "Build":
        runs = runs_of_the_tests(deployed, release)
        assert [run["status"] for run in runs] == ["Succeeded", "Failed"], "retried once"
        assert "FAULT" in runs[1]["output"]["executionResult"]["externalExecutionSummary"]
        messages = notifications.wait_for("Stage Build of pipeline pipeline-", "is retried once")
        deployed.progress.step(f"told: {' | '.join(messages)}")
    if outcome.status == "Failed":
        notifications.wait_for("Pipeline pipeline-")
        developer.revert()


def release_with_kill(
    outcome: Outcome, server: RestartableServer, scenario: Scenario, developer: Developer
) -> tuple[Release, str, Figures]:
    """Push a commit and kill local_aws in its phase; return the release, its rollback's status, figures."""
    old, rollback = scenario.served_version(), ""
    with scenario.probing(outcome.rate) as prober:
        commit = commit_for(outcome, developer)
        developer.push()
        if outcome.phase == "Build":
            wait_for_build(scenario)
        else:
            wait_for_lifecycle_event(scenario, outcome.phase)
        server.kill()
        server.start()
        if outcome.phase == "Build":
            wait_for_retry(scenario, commit)
        release = scenario.follow(commit)
        if release.deployment and release.status == "Failed":
            rollback = scenario.releases.rollback(release.deployment)
        wait_until_steady(scenario)
        scenario.settle(prober, old if release.status == "Failed" else commit)
        return release, rollback, prober.figures()


def commit_for(outcome: Outcome, developer: Developer) -> str:
    """Commit a change whose release stays in the phase for a while."""
    if outcome.phase == "Install":
        return commits.start_slowly(developer, seconds=6)
    return developer.greet(
        f"Hello from a release interrupted in {outcome.phase} at {outcome.rate:g} per second"
    )


def runs_of_the_tests(scenario: Scenario, release: Release) -> list[dict[str, Any]]:
    """Return the runs of the action Test of a release, the newest first."""
    return [run for run in scenario.releases.actions(release.execution) if run["actionName"] == "Test"]


def wait_for_retry(scenario: Scenario, commit: str) -> None:
    """Wait until the tests of a commit run again: until then, its execution has failed."""

    def look() -> None:
        release = scenario.releases.of(commit)
        runs = runs_of_the_tests(scenario, release) if release else []
        if len(runs) < 2:
            raise NotYetError(f"{len(runs)} runs of the tests: {release}")

    wait_for("a retry of Build", look, deadline=scenario.cloud.minutes(RELEASE_MINUTES))


def wait_for_build(scenario: Scenario) -> None:
    """Wait until the newest run of the tests is in its phase BUILD."""
    codebuild, project = scenario.cloud.client("codebuild"), scenario.outputs.test_project_name

    def look() -> None:
        (newest, *_) = codebuild.list_builds_for_project(projectName=project)["ids"]
        (build,) = codebuild.batch_get_builds(ids=[newest])["builds"]
        if build["currentPhase"] != "BUILD":
            raise NotYetError(f"{newest} is in {build['currentPhase']}")

    wait_for("a build", look, deadline=scenario.cloud.minutes(RELEASE_MINUTES), interval=SHORT_INTERVAL)


def wait_for_lifecycle_event(scenario: Scenario, event: str) -> None:
    """Wait until the running deployment is in a lifecycle event, or has passed the last one.

    It calls as few operations as possible, since some events are short. If an event lasts, it waits until
    local_aws has saved it.
    """
    outputs, codedeploy = scenario.outputs, scenario.cloud.client("codedeploy")
    group = {
        "applicationName": outputs.application_name,
        "deploymentGroupName": outputs.deployment_group_name,
        "includeOnlyStatuses": ["InProgress"],
    }
    expected = "Succeeded" if event == "AfterAllowTraffic" else "InProgress"

    def look() -> None:
        found = codedeploy.list_deployments(**group)["deployments"]
        if not found:
            raise NotYetError("no deployment is in progress")
        events = {one["lifecycleEventName"]: one for one in scenario.releases.lifecycle(found[0])}
        if events[event]["status"] != expected:
            raise NotYetError(str({name: one["status"] for name, one in events.items()}))
        if event != SHORT_EVENT and datetime.now(UTC) - events[event]["startTime"] < SAVED_AFTER:
            raise NotYetError(f"{event} has just begun")

    wait_for(event, look, deadline=scenario.cloud.minutes(RELEASE_MINUTES), interval=SHORT_INTERVAL)


def test_the_next_release_succeeds(deployed: Scenario, developer: Developer) -> None:
    deployed.wait_until_no_alarm()
    deployed.push(developer, developer.greet("Hello after every kill"))


@pytest.mark.usefixtures("notifications")
@pytest.mark.destroys
def test_kill_during_destroy_which_is_run_again(server: RestartableServer, deployed: Scenario) -> None:
    def destroy() -> None:
        try:
            deployed.environment.destroy(deployed.progress.step)
        except OperationsError as error:
            deployed.progress.step(f"destroy: {error}")

    thread = threading.Thread(target=destroy)
    thread.start()
    wait_for_stack(deployed, status="DELETE_IN_PROGRESS")
    server.kill()
    server.start()
    thread.join()
    deployed.destroy()


@pytest.fixture
def second_scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment whose deployment is interrupted."""
    with running_scenario(cloud, request) as scenario:
        yield scenario


@pytest.mark.parametrize("nested", ["Network", "Compute", "Pipeline"])
@pytest.mark.destroys
def test_kill_during_deploy_which_can_be_destroyed(
    nested: str, server: RestartableServer, second_scenario: Scenario
) -> None:
    environment = second_scenario.environment
    deploying = environment.begin_deploy()
    wait_for_stack(second_scenario, status="CREATE_IN_PROGRESS", nested=nested, deploying=deploying)
    server.kill()
    server.start()
    assert deploying.wait(second_scenario.cloud.minutes(RELEASE_MINUTES)) != 0
    stack = root_stack(environment.suffix, second_scenario.cloud.account)
    assert stack is not None
    assert (stack["StackStatus"], stack["StackStatusReason"]) == ("CREATE_FAILED", INTERRUPTED)
    environment.destroy(second_scenario.progress.step)
    left = environment.leftovers().remaining
    assert len(left) <= 1, f"more than the resource that was being created: {left}"
