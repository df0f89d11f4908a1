"""A further service of the catalogue: written by `make new-service`, deployed, released and destroyed.

It stands in the network of the sample's environment. The tests share both and run in the order in which
they stand.
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
from harness.scenario import Scenario
from integration_tests.support.flaskr import replace_with_flaskr
from integration_tests.support.scenario_fixtures import running_scenario
from operations.errors import OperationsError

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# As short as a service can be: a destroyed environment's suffix has to fit without the catalogue too.
NAME = "x"
# What `make new-service` reads.
READ = ("cdk.json", "Dockerfile", ".dockerignore", "buildspec.yml", "appspec.yaml", "taskdef.json")
SETTINGS: dict[str, Any] = {"environment": {"COLOUR": "red"}, "tasks": 1, "network": "shared"}


@pytest.fixture(scope="module")
def catalogue(cloud: Cloud) -> dict[str, str]:
    """A catalogue with a service that was written just now, beside this project."""
    folder = written(cloud.folder / "catalogue")
    return {"services": json.dumps({NAME: {**SETTINGS, "folder": str(folder.relative_to(PROJECT))}})}


@pytest.fixture(scope="module")
def lender(cloud: Cloud, catalogue: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """A scenario of the sample, which lends its network."""
    with running_scenario(cloud, request, context=catalogue) as told:
        yield told


@pytest.fixture(scope="module")
def other(catalogue: dict[str, str], lender: Scenario, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """A scenario of the further service."""
    suffix = f"{NAME}-{lender.environment.suffix}"
    with running_scenario(lender.cloud, request, suffix=suffix, context=catalogue) as told:
        yield told


def written(copy: Path) -> Path:
    """Run `make new-service` in a copy of the project; return the service's folder."""
    copy.mkdir()
    for name in READ:
        shutil.copyfile(PROJECT / name, copy / name)
    for room in ("sample_service", "infrastructure"):
        shutil.copytree(PROJECT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    # Whatever this project's own catalogue holds by now.
    settings = json.loads((copy / "cdk.json").read_text())
    settings["context"].pop("services", None)
    (copy / "cdk.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "tools", "new-service", NAME]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)  # noqa: S603 - our own module
    (entry,) = json.loads((copy / "cdk.json").read_text())["context"]["services"].items()
    assert entry == (NAME, {"folder": f"services/{NAME}"})
    return copy / "services" / NAME


def network_of(scenario: Scenario) -> str:
    """Return the id of the network that an environment's load balancer stands in."""
    name = f"load-balancer-{scenario.environment.suffix}"
    (balancer,) = scenario.cloud.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
    return str(balancer["VpcId"])


def test_a_service_of_the_catalogue_is_deployed_and_its_seed_travels(
    lender: Scenario, other: Scenario
) -> None:
    assert lender.deploy()
    assert other.deploy()
    release = other.wait_for_seed()
    assert other.served_version() == release.commit
    assert network_of(other) == network_of(lender)
    ecs = other.cloud.client("ecs")
    names = {"cluster": other.outputs.cluster_name, "services": [other.outputs.service_name]}
    service = ecs.describe_services(**names)["services"][0]
    (primary,) = [one for one in service["taskSets"] if one["status"] == "PRIMARY"]
    task = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert {"name": "COLOUR", "value": "red"} in container["environment"]
    assert service["desiredCount"] == SETTINGS["tasks"]


def test_an_application_that_nobody_here_wrote_takes_its_place(other: Scenario) -> None:
    """Flask's own tutorial with its own tests, by a push."""
    developer = other.developer()
    old = developer.head
    replace_with_flaskr(developer.clone, NAME)
    with other.probing(40) as prober:
        commit = developer.commit("Serve Flask's own tutorial")
        other.push(developer, commit)
        figures = other.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}
    answer = requests.get(other.cloud.resolve(other.outputs.service_url), timeout=10)
    assert "<title>Posts - Flaskr</title>" in answer.text


def test_a_network_cannot_be_destroyed_while_others_stand_in_it(lender: Scenario, other: Scenario) -> None:
    """It is refused before anything is touched: CloudFormation would find out in the end."""
    lender.wait_for_seed()
    before = lender.traffic()
    words = f"the network of {lender.environment.suffix} is shared by {other.environment.suffix}: destroy"
    with pytest.raises(OperationsError, match=words):
        lender.environment.destroy(lender.progress.step)
    assert lender.traffic() == before


def test_destroying_it_leaves_nothing_of_it_and_all_of_its_lender(lender: Scenario, other: Scenario) -> None:
    before, version = lender.traffic(), lender.releases.head()
    with lender.probing(40) as prober:
        other.destroy()
        figures = prober.figures()
    assert (set(figures.versions), figures.failures) == ({version}, 0)
    assert lender.traffic() == before


def test_destroying_the_lender_leaves_nothing(lender: Scenario) -> None:
    lender.destroy()
