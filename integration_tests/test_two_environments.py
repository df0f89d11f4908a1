"""Two environments in one account do not affect each other, even if one suffix is a prefix of the other.

The tests share both environments and run in file order.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from harness.cloud import Cloud
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
