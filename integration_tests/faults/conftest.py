"""One environment for all faults: a deploy takes longer than most of them."""

import time
from collections.abc import Iterator

import pytest

from harness.cloud import Cloud
from harness.report.recorder import FOLDER, STAMP
from harness.scenario import Scenario
from integration_tests.faults import record
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.faults.timing_overrides import Canaries
from integration_tests.support.scenario_fixtures import running_scenario

# No fault happens while the old tasks wait for their end, so they wait the shortest time that there is.
SETTINGS = {"terminationWaitMinutes": "1"}
BEGAN = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Note since when faults are this run's."""
    config.stash[BEGAN] = time.strftime(STAMP)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of the faults that were played, wherever they were: workers print nothing."""
    if found := record.read(FOLDER, since=config.stash[BEGAN]):
        terminalreporter.section("faults")
        terminalreporter.write_line(record.table(found))


@pytest.fixture(scope="package")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """A scenario for the whole package."""
    suffix = request.config.getoption("--suffix") or ""
    with running_scenario(cloud, request, suffix=suffix, context=SETTINGS) as told:
        yield told


@pytest.fixture(scope="package")
def stage(scenario: Scenario) -> Iterator[FaultEnvironment]:
    """The environment with the seeded commit answering; its faults are written beside its report."""
    assert scenario.deploy()
    scenario.wait_for_seed()
    canaries = Canaries(scenario)
    found = FaultEnvironment(scenario, scenario.developer(), canaries)
    try:
        yield found
    finally:
        canaries.clean_up()
    written = record.write(scenario.recorder.folder, found.faults)
    scenario.progress.step(f"{len(found.faults)} faults in {written}")
