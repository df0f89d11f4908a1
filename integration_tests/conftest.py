"""The harness's options, and the fixtures that every scenario starts from."""

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
from harness.signals import sigterm_as_keyboard_interrupt
from harness.suffixes import random_suffix
from integration_tests.support.scenario_fixtures import running_scenario
from operations.errors import OperationsError


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a scenario."""
    group = parser.getgroup("road")
    group.addoption("--live", action="store_true", help="on AWS, with your credentials: it costs money")
    group.addoption("--second-profile", help="with --live: the AWS profile of a second account")
    group.addoption("--suffix", help="the environmentSuffix of the first environment (default: random)")
    group.addoption("--time-limit", type=float, metavar="MINUTES", help="stop then, and destroy")
    group.addoption("--keep", action="store_true", help="destroy nothing, and keep local_aws running")


def pytest_configure(config: pytest.Config) -> None:
    """Let a run on AWS leave its results for CI, wherever they were not asked for."""
    if config.getoption("--live", default=False) and config.option.xmlpath is None:
        config.option.xmlpath = str(junit_path())


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """The cloud that the scenarios play on, once a session."""
    if request.config.getoption("--live"):
        folder = run_folder("live")
    else:
        # Each worker of pytest-xdist has a local_aws of its own.
        name = f"integration_tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        remove_finished_runs(name, is_running_in)
        folder = run_folder(name)
    with sigterm_as_keyboard_interrupt(), time_limit(request.config.getoption("--time-limit")):
        try:
            if request.config.getoption("--live"):
                aws = aws_cloud(folder)
                check_ready(aws, request.config.getoption("--suffix") or random_suffix("it"))
                yield aws
            elif request.config.getoption("--keep"):
                yield local_cloud(start_local_aws(folder / "local_aws", keep=True), folder)
            else:
                with local_aws(folder) as running:
                    yield local_cloud(running, folder)
        except OperationsError as error:
            if "PYTEST_XDIST_WORKER" in os.environ:
                # A worker that exits takes its last words with it; an error of its test is told.
                raise
            pytest.exit(str(error), returncode=2)


@pytest.fixture(scope="session")
def second_account(cloud: Cloud, request: pytest.FixtureRequest) -> Cloud:
    """The same cloud to another account; on AWS the first one again, unless a profile is given."""
    folder = cloud.folder / "second"
    if cloud.endpoint is None:
        profile = request.config.getoption("--second-profile")
        return aws_cloud(folder, profile) if profile else cloud
    running = find_local_aws(cloud.folder / "local_aws")
    assert running is not None
    return local_cloud(running, folder, SECOND_ACCOUNT)


@pytest.fixture(scope="module")
def scenario(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """A scenario for one module."""
    with running_scenario(cloud, request, suffix=request.config.getoption("--suffix") or "") as told:
        yield told


@pytest.fixture(scope="module")
def deployed(scenario: Scenario) -> Scenario:
    """The environment, with the seeded commit answering."""
    assert scenario.deploy()
    scenario.wait_for_seed()
    return scenario


@pytest.fixture(scope="module")
def developer(deployed: Scenario) -> Developer:
    """A developer with a clone."""
    return deployed.developer()
