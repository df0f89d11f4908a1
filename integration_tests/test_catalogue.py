"""A second service of the catalogue: created by `make new-service`, deployed, released and destroyed.

It shares the network of the sample's environment. The tests share both environments and run in file order.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.cloud import PROJECT, Cloud
from harness.environment import TRAFFIC_SHIFT
from harness.release_logs import error_message
from harness.scenario import Scenario
from harness.traffic_routing import TrafficRouting
from integration_tests.support.flaskr import replace_with_flaskr
from integration_tests.support.scenario_fixtures import running_scenario
from operations.errors import OperationsError

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# As short as possible: the environment's suffix must be valid without the catalogue too.
NAME = "x"
# The files that `make new-service` reads.
TEMPLATE_FILES = ("cdk.json", "Dockerfile", ".dockerignore")
# It replaces the subscription of each environment's topic.
PLATFORM_CHANGE = {"notificationEmail": "platform@team.invalid"}
# It changes both environments, and adds a log group with a name to the one with the network.
SECOND_CHANGE = {"notificationEmail": "day-two@team.invalid", "flowLogs": "true"}
SETTINGS: dict[str, Any] = {"environment": {"COLOUR": "red"}, "tasks": 1, "network": "shared"}


@pytest.fixture(scope="module")
def catalogue(cloud: Cloud) -> dict[str, str]:
    """A catalogue with a new service, in a folder of this run."""
    folder = create_service(cloud.folder / "catalogue")
    return {"services": json.dumps({NAME: {**SETTINGS, "folder": str(folder.relative_to(PROJECT))}})}


@pytest.fixture(scope="module")
def network_owner(
    cloud: Cloud, catalogue: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[Scenario]:
    """The scenario of the sample, whose network the service shares."""
    with running_scenario(cloud, request, context=catalogue) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def service(
    catalogue: dict[str, str], network_owner: Scenario, request: pytest.FixtureRequest
) -> Iterator[Scenario]:
    """The scenario of the second service."""
    suffix = f"{NAME}-{network_owner.environment.suffix}"
    with running_scenario(network_owner.cloud, request, suffix=suffix, context=catalogue) as scenario:
        yield scenario


def create_service(copy: Path) -> Path:
    """Run `make new-service` in a copy of the project; return the service's folder."""
    copy.mkdir()
    for name in TEMPLATE_FILES:
        shutil.copyfile(PROJECT / name, copy / name)
    for room in ("sample_service", "infrastructure"):
        shutil.copytree(PROJECT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    # Without the services of this project's own catalogue.
    settings = json.loads((copy / "cdk.json").read_text())
    settings["context"].pop("services", None)
    (copy / "cdk.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "tools", "new-service", NAME]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)  # noqa: S603 - our own module
    (entry,) = json.loads((copy / "cdk.json").read_text())["context"]["services"].items()
    assert entry == (NAME, {"folder": f"services/{NAME}"})
    return copy / "services" / NAME


def vpc_of(scenario: Scenario) -> str:
    """Return the id of the VPC of an environment's load balancer."""
    name = f"load-balancer-{scenario.environment.suffix}"
    (balancer,) = scenario.cloud.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    return str(balancer["VpcId"])


def test_a_service_of_the_catalogue_is_deployed_and_its_seeded_commit_released(
    network_owner: Scenario, service: Scenario
) -> None:
    assert network_owner.deploy()
    assert service.deploy()
    release = service.wait_for_seed()
    assert service.served_version() == release.commit
    assert vpc_of(service) == vpc_of(network_owner)
    ecs = service.cloud.client("ecs")
    names = {"cluster": service.outputs.cluster_name, "services": [service.outputs.service_name]}
    described = ecs.describe_services(**names)["services"][0]
    (primary,) = [one for one in described["taskSets"] if one["status"] == "PRIMARY"]
    task = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert {"name": "COLOUR", "value": "red"} in container["environment"]
    assert described["desiredCount"] == SETTINGS["tasks"]


def fleet(scenario: Scenario, catalogue: dict[str, str], action: str, **settings: str) -> tuple[int, Any]:
    """Run `operations fleet` on the wave of both environments; return its exit code and its JSON."""
    context = {**catalogue, **TRAFFIC_SHIFT, **settings}
    done = subprocess.run(  # noqa: S603 - our own module
        [
            *(sys.executable, "-m", "operations", "fleet", action, "--wave", scenario.environment.suffix),
            *(word for key, value in context.items() for word in ("-c", f"{key}={value}")),
            *("--at-once", "2", "--json", "--output", str(scenario.environment.folder / "fleet")),
        ],
        cwd=PROJECT,
        env=scenario.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def states(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the state of each environment."""
    return {row["suffix"]: row["state"] for row in rows}


def test_a_plan_shows_a_change_of_both_once(
    network_owner: Scenario, service: Scenario, catalogue: dict[str, str]
) -> None:
    network_owner.wait_for_seed()
    suffixes = sorted(each.environment.suffix for each in (network_owner, service))
    code, plan = fleet(network_owner, catalogue, "plan", **PLATFORM_CHANGE)
    assert (code, states(plan["environments"])) == (0, dict.fromkeys(suffixes, "changes"))
    (replaced,) = [each for each in plan["differences"] if each["kind"] == "Replaced or deleted"]
    assert replaced["text"] == "[~] AWS::SNS::Subscription Pipeline/Notifications/Email replace"
    assert sorted(replaced["environments"]) == suffixes


def test_a_wave_moves_no_traffic(
    network_owner: Scenario, service: Scenario, catalogue: dict[str, str]
) -> None:
    """The listeners and the task definitions that run are those of before (pitfalls C1, C5)."""
    both = (network_owner, service)
    before = versions_and_traffic(*both)
    with network_owner.probing(20) as first, service.probing(20) as second:
        code, deployed = fleet(network_owner, catalogue, "deploy", **PLATFORM_CHANGE)
        failed = [*first.failures, *second.failures]
    assert (code, set(states(deployed["outcomes"]).values())) == (0, {"deployed"}), deployed
    assert failed == []
    assert versions_and_traffic(*both) == before


def test_a_wave_that_is_deployed_is_left_alone_and_an_immutable_change_is_refused(
    network_owner: Scenario, catalogue: dict[str, str]
) -> None:
    code, again = fleet(network_owner, catalogue, "deploy", **PLATFORM_CHANGE)
    assert (code, set(states(again["outcomes"]).values())) == (0, {"unchanged"})
    code, refused = fleet(network_owner, catalogue, "deploy", **PLATFORM_CHANGE, desiredCount="3")
    owner = network_owner.environment.suffix
    refusals = {each["suffix"]: each["refusals"] for each in refused["environments"]}
    assert (code, refused["outcomes"]) == (1, [])
    assert "DesiredCount would change from 2 to 3" in str(refusals[owner])


def test_a_wave_stops_at_the_first_failure_and_resumes_when_it_is_mended(
    network_owner: Scenario, service: Scenario, catalogue: dict[str, str]
) -> None:
    """A log group that an earlier environment left fails the first of the wave; no traffic moves."""
    both = (network_owner, service)
    owner, user = (each.environment.suffix for each in both)
    logs, left = network_owner.cloud.client("logs"), f"/vpc/flow-logs-{owner}"
    logs.create_log_group(logGroupName=left)
    before = versions_and_traffic(*both)
    with network_owner.probing(20) as first, service.probing(20) as second:
        code, stopped = fleet(network_owner, catalogue, "deploy", **SECOND_CHANGE)
        assert (code, states(stopped["outcomes"])) == (1, {owner: "failed", user: "not begun"}), stopped
        assert versions_and_traffic(*both) == before
        logs.delete_log_group(logGroupName=left)
        code, resumed = fleet(network_owner, catalogue, "deploy", **SECOND_CHANGE)
        figures = (first.figures(), second.figures())
    assert (code, set(states(resumed["outcomes"]).values())) == (0, {"deployed"}), resumed
    assert [each.failures for each in figures] == [0, 0], (first.failures[:3], second.failures[:3])
    assert versions_and_traffic(*both) == before
    failed, *_ = stopped["outcomes"]
    took = {each["suffix"]: round(each["seconds"]) for each in resumed["outcomes"]}
    network_owner.progress.step(
        f"a wave failed after {failed['seconds']:.0f} s, and resumed: {took} seconds; 0 of "
        f"{figures[0].requests + figures[1].requests} requests failed: {failed['reason']}"
    )


def versions_and_traffic(*scenarios: Scenario) -> list[tuple[str, TrafficRouting]]:
    """Return who answers in each environment, its listeners and its task sets."""
    return [(each.served_version(), each.traffic()) for each in scenarios]


def test_a_third_party_application_replaces_it(service: Scenario) -> None:
    """Flask's tutorial with its own tests, by a push; it sends no version (pitfall N8)."""
    developer = service.developer()
    old = developer.head
    replace_with_flaskr(developer.clone, NAME)
    with service.probing(40, unversioned="flaskr") as prober:
        commit = developer.commit("Serve Flask's tutorial")
        developer.push()
        release = service.follow(commit)
        assert release.status == "Succeeded", error_message(service.cloud, release)
        figures = service.settle(prober, "flaskr")
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, "flaskr"}
    answer = requests.get(service.cloud.resolve(service.outputs.service_url), timeout=10)
    assert "<title>Posts - Flaskr</title>" in answer.text


@pytest.mark.destroys
def test_a_shared_network_cannot_be_destroyed_while_it_is_used(
    network_owner: Scenario, service: Scenario
) -> None:
    """The check runs before anything is deleted; CloudFormation would fail at the end."""
    network_owner.wait_for_seed()
    before = network_owner.traffic()
    owner, user = network_owner.environment.suffix, service.environment.suffix
    with pytest.raises(OperationsError, match=f"the network of {owner} is shared by {user}: destroy"):
        network_owner.environment.destroy(network_owner.progress.step)
    assert network_owner.traffic() == before


@pytest.mark.destroys
def test_destroying_the_service_leaves_the_network_owner_unchanged(
    network_owner: Scenario, service: Scenario
) -> None:
    before, version = network_owner.traffic(), network_owner.releases.head()
    with network_owner.probing(40) as prober:
        service.destroy()
        figures = prober.figures()
    assert (set(figures.versions), figures.failures) == ({version}, 0)
    assert network_owner.traffic() == before


@pytest.mark.destroys
def test_destroying_the_network_owner_leaves_nothing(network_owner: Scenario) -> None:
    network_owner.destroy()
