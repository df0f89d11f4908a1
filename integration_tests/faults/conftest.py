"""One environment for all faults: to deploy one takes longer than most of the tests."""

import time
from collections.abc import Iterator

import pytest

from harness.cloud import Cloud
from harness.report.recorder import FOLDER, STAMP
from harness.scenario import Scenario
from integration_tests.faults import record
from integration_tests.faults.steady_state import FaultEnvironment
from integration_tests.faults.timing_overrides import Canaries
from integration_tests.support.scenario_fixtures import running_scenario, take_suffix

# No fault is injected during the termination wait, so it is the shortest that CodeDeploy allows.
SETTINGS = {"terminationWaitMinutes": "1"}
BEGAN = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Remember when this run began."""
    config.stash[BEGAN] = time.strftime(STAMP)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of this run's faults, in the main process: xdist's workers print nothing."""
    if found := record.read(FOLDER, since=config.stash[BEGAN]):
        terminalreporter.section("faults")
        terminalreporter.write_line(record.table(found))


@pytest.fixture(scope="package")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """A scenario for the whole package."""
    suffix = take_suffix(request.config)
    with running_scenario(cloud, request, suffix=suffix, context=SETTINGS) as scenario:
        yield scenario


@pytest.fixture(scope="package")
def environment(scenario: Scenario) -> Iterator[FaultEnvironment]:
    """The environment, which serves the seeded commit; its faults are written beside its report."""
    assert scenario.deploy()
    scenario.wait_for_seed()
    canaries = Canaries(scenario)
    environment = FaultEnvironment(scenario, scenario.developer(), canaries)
    try:
        yield environment
    finally:
        canaries.clean_up()
    written = record.write(scenario.recorder.folder, environment.faults)
    scenario.progress.step(f"{len(environment.faults)} faults in {written}")
