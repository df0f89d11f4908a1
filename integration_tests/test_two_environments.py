"""Two environments in one account do not affect each other, even if one suffix is a prefix of the other.

The tests share both environments and run in file order.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from harness.cloud import PROJECT, Cloud
from harness.scenario import Scenario
from harness.suffixes import random_suffix
from integration_tests.support.certificates import certificate
from integration_tests.support.scenario_fixtures import running_scenario

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# A low rate, since both environments run on one machine.
RATE = 20.0


@pytest.fixture(scope="module")
def pair(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[tuple[Scenario, Scenario]]:
    """Two environments that serve their seeded commits; the second one serves HTTPS."""
    suffix = random_suffix("it")
    # Both are destroyed whatever fails, and the certificate last, since a listener uses it.
    with ExitStack() as stack:
        arn, trust = stack.enter_context(certificate(cloud, cloud.folder / f"{suffix}-certificate"))
        https = {"certificateArn": arn}
        first = stack.enter_context(running_scenario(cloud, request, suffix=suffix))
        second = stack.enter_context(
            running_scenario(cloud, request, suffix=f"{suffix}-2", context=https, verify=trust)
        )
        for scenario in (first, second):
            scenario.deploy()
        for scenario in (first, second):
            scenario.wait_for_seed()
        yield first, second


def test_a_push_to_one_changes_nothing_in_the_other(pair: tuple[Scenario, Scenario]) -> None:
    first, second = pair
    before, executions = first.traffic(), first.releases.executions()
    version = first.served_version()
    developer = second.developer()
    with first.probing(RATE) as prober:
        commit = developer.greet("Hello from the second environment")
        second.push(developer, commit)
        figures = prober.figures()
    assert second.served_version() == commit
    assert (set(figures.versions), figures.failures) == ({version}, 0)
    assert first.traffic() == before
    assert first.releases.executions() == executions


def test_with_a_certificate_http_redirects_to_https(pair: tuple[Scenario, Scenario]) -> None:
    _, second = pair
    assert second.outputs.service_url.startswith("https://")
    plain = second.outputs.service_url.replace("https://", "http://")
    answer = requests.get(second.cloud.resolve(plain), timeout=10, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("https://")


def test_status_shows_what_each_of_them_runs(pair: tuple[Scenario, Scenario]) -> None:
    rows = _status(pair[0])
    found = {each["suffix"]: each for each in rows}
    assert len(rows) == len(found), "one row for each environment, and none for its nested stacks"
    for scenario in pair:
        environment = found[scenario.environment.suffix]
        assert environment["commit"] == scenario.served_version()
        assert environment["author"]
        assert (environment["release"], environment["alarms"], environment["drift"]) == ("", [], [])
    (alone,) = _status(pair[1], pair[1].environment.suffix)
    # Only the status of one environment reads its event log.
    four_keys = alone.pop("four_keys")
    assert four_keys["releases"] == 2, "the seeded commit and the push"
    assert {**alone, "four_keys": None} == found[pair[1].environment.suffix]


def _status(scenario: Scenario, *suffix: str) -> list[dict[str, Any]]:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "operations", "status", "--json", *suffix],
        cwd=PROJECT,
        env=scenario.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.destroys
def test_destroying_one_after_one_release_leaves_the_other_unchanged(
    pair: tuple[Scenario, Scenario],
) -> None:
    first, second = pair
    before, version = second.traffic(), second.served_version()
    with second.probing(RATE) as prober:
        first.destroy()
        figures = prober.figures()
    assert (set(figures.versions), figures.failures) == ({version}, 0)
    assert second.traffic() == before
    assert second.environment.leftovers().remaining, "the other still exists"


@pytest.mark.destroys
def test_destroying_the_other_leaves_nothing(pair: tuple[Scenario, Scenario]) -> None:
    _, second = pair
    second.destroy()
