"""The rehearsal of the session: one local_aws behind AWS's names, and an account that is ready."""

from collections.abc import Iterator

import pytest

from integration_tests.rehearsal.namespace import problem
from integration_tests.rehearsal.rehearsal import Rehearsal, rehearsal
from operations.cdk_cli import CDK


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of a rehearsal."""
    group = parser.getgroup("rehearsal")
    group.addoption("--time-scale", type=float, help="1: let AWS's waits take their time (default: 0.02)")


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """AWS in a rehearsal, prepared as docs/live.md says."""
    if found := problem():
        pytest.skip(found)
    # Not known to pytest when it collects the folder above.
    time_scale = request.config.getoption("--time-scale", default=None)
    with rehearsal(tmp_path_factory.mktemp("rehearsal"), time_scale) as made:
        prepare(made)
        yield made


def prepare(made: Rehearsal) -> None:
    """Bootstrap the account, and create what `--live` expects of it."""
    account = f"aws://{made.cloud.account.id}/us-east-1"
    # In a folder without cdk.json: with one, the CLI synthesizes the app first.
    made.run(str(CDK), "bootstrap", account, "--no-notices", folder=made.home)
    made.run("python", "-m", "operations", "preflight", "dev", "--fix")
