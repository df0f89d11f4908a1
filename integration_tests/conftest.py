"""The command-line options, and the fixtures of every scenario."""

import os
from collections.abc import Iterator

import pytest

from harness.aws import aws_cloud, check_ready, junit_path, time_limit
from harness.cloud import Cloud
from harness.developer import Developer
from harness.folders import remove_finished_runs, run_folder
from harness.local import (
    SECOND_ACCOUNT,
    find_local_aws,
    is_running_in,
    local_aws,
    local_cloud,
    start_local_aws,
)
from harness.scenario import Scenario
from harness.signals import termination_as_keyboard_interrupt
from harness.suffixes import random_suffix
from integration_tests.support import live_selection
from integration_tests.support.interrupted import Interrupted
from integration_tests.support.scenario_fixtures import LAST_LINES, printer, running_scenario, take_suffix
from operations.__main__ import environment_suffix
from operations.errors import OperationsError

SELECTION = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of scenarios."""
    group = parser.getgroup("scenarios")
    group.addoption("--live", action="store_true", help="run on AWS with your credentials: this costs money")
    group.addoption("--second-profile", help="with --live: the AWS profile of a second account")
    group.addoption(
        "--suffix",
        type=environment_suffix,
        help="the environmentSuffix of the first environment (default: random)",
    )
    group.addoption(
        "--time-limit", type=float, metavar="MINUTES", help="stop after so many minutes, and destroy"
    )
    group.addoption("--keep", action="store_true", help="keep the environments and local_aws")
    group.addoption(
        "--all-scenarios",
        action="store_true",
        help="with --live: not the first scenario alone (days, not hours)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With `--live`, write the results for CI unless --junitxml is given, and name the first environment."""
    workers = config.getoption("numprocesses", default=None) or "PYTEST_XDIST_WORKER" in os.environ
    if not workers:
        config.pluginmanager.register(Interrupted(config))
    if not config.getoption("--live", default=False):
        return
    if workers:
        raise pytest.UsageError("--live plays one scenario after another, and shows them live: leave out -n")
    if config.option.xmlpath is None:
        config.option.xmlpath = str(junit_path())
    # Chosen here, so that the account is checked for the environment that is deployed.
    config.option.suffix = config.option.suffix or random_suffix("it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what makes no sense on AWS, and with `--keep` what destroys."""
    if config.getoption("--live"):
        kept, config.stash[SELECTION] = live_selection.select(config, items)
        _deselect(config, items, kept)
    if config.getoption("--keep"):
        _deselect(config, items, [item for item in items if item.get_closest_marker("destroys") is None])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say what is left, and what a person must still type, below pytest's tracebacks and counts."""
    say = printer(config)
    for line in config.stash.get(LAST_LINES, []):
        say(line)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say what `--live` runs, before anything is deployed."""
    return config.stash.get(SELECTION, [])


def _deselect(config: pytest.Config, items: list[pytest.Item], kept: list[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """The cloud of the session."""
    if request.config.getoption("--live"):
        folder = run_folder("live")
    else:
        # Each worker of pytest-xdist has a local_aws of its own.
        name = f"integration_tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        remove_finished_runs(name, is_running_in)
        folder = run_folder(name)
    limit, say = request.config.getoption("--time-limit"), printer(request.config)
    with termination_as_keyboard_interrupt(), time_limit(limit, say):
        try:
            if request.config.getoption("--live"):
                aws = aws_cloud(folder, limit=limit, say=say)
                check_ready(aws, request.config.getoption("--suffix"))
                yield aws
            elif request.config.getoption("--keep"):
                yield local_cloud(start_local_aws(folder / "local_aws", keep=True), folder)
            else:
                with local_aws(folder) as server:
                    yield local_cloud(server, folder)
        except OperationsError as error:
            if "PYTEST_XDIST_WORKER" in os.environ:
                # The exit message of a worker is lost, but an error in its test is reported.
                raise
            pytest.exit(str(error), returncode=2)


@pytest.fixture(scope="session")
def second_account(cloud: Cloud, request: pytest.FixtureRequest) -> Cloud:
    """The cloud as another account; on AWS it is the first account unless a profile is given."""
    folder = cloud.folder / "second"
    if cloud.endpoint is None:
        profile = request.config.getoption("--second-profile")
        limit, say = request.config.getoption("--time-limit"), printer(request.config)
        return aws_cloud(folder, profile, limit=limit, say=say) if profile else cloud
    server = find_local_aws(cloud.folder / "local_aws")
    assert server is not None
    return local_cloud(server, folder, SECOND_ACCOUNT)


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The scenario of the module."""
    with running_scenario(cloud, request, suffix=take_suffix(request.config)) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def deployed(scenario: Scenario) -> Scenario:
    """The scenario with its environment deployed, which serves the seeded commit."""
    assert scenario.deploy()
    scenario.wait_for_seed()
    return scenario


@pytest.fixture(scope="module")
def developer(deployed: Scenario) -> Developer:
    """A developer with a clone of the repository."""
    return deployed.developer()
