"""local_aws is killed with SIGKILL in every phase and started again on its state: it goes on or says why.

The tests share one local_aws and, but for the last ones, one environment; they run in the order in which
they stand.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from harness.cloud import Cloud
from harness.developer import Developer
from harness.folders import run_folder
from harness.notifications import NotificationQueue, listening
from harness.scenario import RELEASE_MINUTES, Scenario
from integration_tests.faults import commits
from integration_tests.support.restartable import Server, restartable
from integration_tests.support.scenario_fixtures import telling
from operations.errors import OperationsError
from operations.root_stack import root_stack
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests a second.
RATE = 50.0
# The gate is over in a moment. Everything else lasts; what services do by themselves is kept by then.
SHORT, KEPT = "AfterAllowTestTraffic", timedelta(seconds=3)
INTERRUPTED = "local_aws ended during the operation"


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A local_aws of this module's own."""
    if request.config.getoption("--live"):
        pytest.skip("AWS is not ours to kill")
    with restartable(run_folder("killed")) as made:
        yield made


@pytest.fixture(scope="module")
def cloud(server: Server) -> Cloud:
    """The cloud that it is."""
    return server.cloud


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment whose phases are long enough to be met."""
    longer = {
        "deploymentConfig": "CodeDeployDefault.ECSCanary10Percent15Minutes",
        "terminationWaitMinutes": "15",
    }
    with telling(cloud, request, context=longer) as told:
        yield told


@pytest.fixture(scope="module")
def inbox(deployed: Scenario) -> Iterator[NotificationQueue]:
    """What the environment's topic tells."""
    with listening(deployed.cloud, deployed.outputs.topic_arn) as found:
        yield found


@dataclass(frozen=True)
class End:
    """How a release ends in which local_aws was killed in `phase`, while `rate` requests came a second."""

    phase: str
    words: str
    status: str = "Failed"
    rolled_back: str = "Succeeded"
    rate: float = RATE


ENDS = (
    End("Build", "Build terminated with state: FAULT", rolled_back=""),
    End("Install", "INTERNAL_ERROR"),
    End("AfterAllowTestTraffic", "INTERNAL_ERROR"),
    End("AllowTraffic", "INTERNAL_ERROR"),
    # Green has all traffic: it stays, unless the alarm says that users suffered while tasks started anew.
    End("AfterAllowTraffic", "ALARM_ACTIVE"),
    End("AfterAllowTraffic", "", "Succeeded", rolled_back="", rate=1),
)


def test_while_nothing_happens_traffic_comes_back_and_nothing_is_changed(
    server: Server, deployed: Scenario
) -> None:
    old, before = deployed.served(), deployed.traffic()
    server.kill()
    server.start()
    deployed.until_served(old)
    assert deployed.traffic() == before
    assert not deployed.deploy(), "CloudFormation knows what it knew"
    assert deployed.traffic() == before


def test_a_push_that_was_answered_is_released(
    server: Server, deployed: Scenario, developer: Developer
) -> None:
    commit = developer.greet("Hello, pushed in the last moment")
    developer.push()
    server.kill()
    server.start()
    deployed.arrive(commit)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end.phase} at {end.rate:g} a second")
def test_in_a_release(
    end: End, server: Server, deployed: Scenario, developer: Developer, inbox: NotificationQueue
) -> None:
    deployed.until_no_alarm_is_on()
    old = deployed.served()
    inbox.messages.clear()
    with deployed.probing(end.rate) as prober:
        commit = make(developer, end)
        developer.push()
        if end.phase == "Build":
            until_building(deployed)
        else:
            until_in(deployed, end.phase)
        server.kill()
        server.start()
        release = deployed.follow(commit)
        words, rolled_back = deployed.releases.words(release), ""
        if release.deployment and release.status == "Failed":
            rolled_back = deployed.releases.rollback(release.deployment)
        until_steady(deployed)
        deployed.settle(prober, old if release.status == "Failed" else commit)
        figures = prober.figures()
    deployed.progress.step(
        f"killed in {end.phase}: {release.status}, rollback: {rolled_back or 'none'}; "
        f"{figures.failures} of {figures.requests} requests failed"
    )
    assert release.status == end.status, release
    assert end.words in f"{release.why} {words}"
    assert rolled_back == end.rolled_back
    if end.status == "Failed":
        inbox.wait_for("Pipeline pipeline-")
        developer.revert()


def make(developer: Developer, end: End) -> str:
    """Commit what takes a while in the phase."""
    if end.phase == "Install":
        return commits.start_slowly(developer, seconds=6)
    return developer.greet(f"Hello from a release whose {end.phase} is interrupted at {end.rate:g} a second")


def until_building(scenario: Scenario) -> None:
    """Wait until the newest build is in its phase BUILD."""
    codebuild, project = scenario.cloud.client("codebuild"), scenario.outputs.build_project_name

    def look() -> None:
        (newest, *_) = codebuild.list_builds_for_project(projectName=project)["ids"]
        (build,) = codebuild.batch_get_builds(ids=[newest])["builds"]
        if build["currentPhase"] != "BUILD":
            raise NotYetError(f"{newest} is in {build['currentPhase']}")

    wait_for("a build", look, deadline=scenario.cloud.minutes(RELEASE_MINUTES), interval=0.05)


def until_in(scenario: Scenario, event: str) -> None:
    """Wait until the deployment under way is in a lifecycle event, or has passed the last one.

    It asks for as little as it can: some events are short. In one that lasts it waits until that is kept.
    """
    outputs, codedeploy = scenario.outputs, scenario.cloud.client("codedeploy")
    group = {
        "applicationName": outputs.application_name,
        "deploymentGroupName": outputs.deployment_group_name,
        "includeOnlyStatuses": ["InProgress"],
    }

    def look() -> None:
        found = codedeploy.list_deployments(**group)["deployments"]
        if not found:
            raise NotYetError("no deployment is under way")
        events = {one["lifecycleEventName"]: one for one in scenario.releases.lifecycle(found[0])}
        reached = "Succeeded" if event == "AfterAllowTraffic" else "InProgress"
        if events[event]["status"] != reached:
            raise NotYetError(str({name: one["status"] for name, one in events.items()}))
        if event != SHORT and datetime.now(UTC) - events[event]["startTime"] < KEPT:
            raise NotYetError(f"{event} has just begun")

    wait_for(event, look, deadline=scenario.cloud.minutes(RELEASE_MINUTES), interval=0.05)


def test_the_next_release_goes_through(deployed: Scenario, developer: Developer) -> None:
    deployed.until_no_alarm_is_on()
    deployed.push(developer, developer.greet("Hello from after all that"))


def test_in_a_destroy_that_is_told_again(
    server: Server, deployed: Scenario, inbox: NotificationQueue
) -> None:
    def destroy() -> None:
        try:
            deployed.environment.destroy(deployed.progress.step)
        except OperationsError as error:
            deployed.progress.step(f"destroy: {error}")

    running = threading.Thread(target=destroy)
    running.start()
    until(deployed, "DELETE_IN_PROGRESS")
    server.kill()
    server.start()
    running.join()
    deployed.destroy()


@pytest.fixture
def other(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """An environment of its own, to be cut off while it is made."""
    with telling(cloud, request) as told:
        yield told


@pytest.mark.parametrize("part", ["Network", "Compute", "Pipeline"])
def test_in_a_deploy_which_can_be_destroyed(part: str, server: Server, other: Scenario) -> None:
    deploying = other.environment.begin_deploy()
    until(other, "CREATE_IN_PROGRESS", part)
    server.kill()
    server.start()
    assert deploying.wait(other.cloud.minutes(RELEASE_MINUTES)) != 0
    stack = root_stack(other.environment.suffix, other.cloud.account)
    assert stack is not None
    assert (stack["StackStatus"], stack["StackStatusReason"]) == ("CREATE_FAILED", INTERRUPTED)
    other.environment.destroy(other.progress.step)
    left = other.environment.leftovers().remaining
    assert len(left) <= 1, f"more than the one that was in the making: {left}"


def until_steady(scenario: Scenario) -> None:
    """Wait until the one task set that is left has all its tasks: after a rollback they may still start."""
    ecs, outputs = scenario.cloud.client("ecs"), scenario.outputs

    def look() -> None:
        (service,) = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])[
            "services"
        ]
        sets = [(one["status"], one["stabilityStatus"]) for one in service["taskSets"]]
        if sets != [("PRIMARY", "STEADY_STATE")]:
            raise NotYetError(str(sets))

    wait_for("a steady service", look, deadline=scenario.cloud.minutes(RELEASE_MINUTES))


def until(scenario: Scenario, status: str, part: str = "") -> None:
    """Wait until the root stack is in `status`, and has begun a nested one whose name has `part` in it."""

    def look() -> None:
        state, seen = scenario.environment.begun()
        if state != status or not any(part in name for name in seen):
            raise NotYetError(f"it is {state} with {seen}")

    deadline = scenario.cloud.minutes(RELEASE_MINUTES)
    wait_for(f"{status} of {scenario.environment.suffix}", look, deadline=deadline, interval=0.05)
