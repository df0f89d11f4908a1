"""A release waits for the deployment window and for the end of a freeze, and serves nobody before.

The tests share one environment and run in file order.
"""

from datetime import UTC, datetime

import pytest

from harness.developer import Developer
from harness.scenario import Scenario
from operations import break_glass
from operations.waiting import NotYetError, wait_for
from operations.why import explain

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests per second.
RATE = 40.0
REASON = "until 7 January (TICKET-1)"


def closed() -> str:
    """Return a window that opens in twelve hours."""
    return f"* * {(datetime.now(UTC).hour + 12) % 24} ? * * UTC"


def push(developer: Developer, greeting: str) -> str:
    """Push a commit, and return it."""
    commit = developer.greet(greeting)
    developer.push()
    return commit


def wait_until_explained(scenario: Scenario, commit: str, words: str) -> None:
    """Wait until `operations why` says that the release of a commit waits, and for what."""

    def look() -> None:
        found = explain(scenario.environment.suffix, scenario.cloud.account)
        if found.commit != commit or words not in found.note:
            raise NotYetError(str(found.lines))

    wait_for(f"the release that {words}", look, deadline=scenario.cloud.minutes(20, own=3))


def test_outside_of_the_window_a_release_waits_until_break_glass_lets_it_in(
    deployed: Scenario, developer: Developer
) -> None:
    suffix, account = deployed.environment.suffix, deployed.cloud.account
    old = deployed.served_version()
    assert deployed.deploy(deploymentWindow=closed())
    with deployed.probing(RATE) as prober:
        commit = push(developer, "Outside of the window")
        wait_until_explained(deployed, commit, "waits before Deploy for the deployment window")
        assert set(prober.figures().versions) == {old}
        break_glass.open_break_glass(suffix, account, "TICKET-1: a fix for users", 30, print)
        deployed.wait_for_release(commit)
        figures = deployed.settle(prober, commit)
    break_glass.close(suffix, account, print)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}


def test_during_a_freeze_a_release_waits_and_goes_out_when_it_ends(
    deployed: Scenario, developer: Developer
) -> None:
    assert deployed.deploy(freeze=REASON, dropSettings="deploymentWindow")
    old = deployed.served_version()
    push(developer, "Superseded by the next")
    commit = push(developer, "In a freeze")
    wait_until_explained(deployed, commit, f"waits before Deploy, which nothing enters: {REASON}")
    assert deployed.served_version() == old
    assert deployed.deploy(dropSettings="freeze")
    deployed.wait_for_release(commit)
    assert deployed.served_version() == commit
