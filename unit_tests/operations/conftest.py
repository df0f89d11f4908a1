"""One server a session: starting it is the slow part."""

from collections.abc import Iterator

import boto3
import pytest

from local_aws.running import Running, start
from operations.account import Account


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account of a running local_aws."""
    running: Running = start(tmp_path_factory.mktemp("local_aws"))
    session = boto3.session.Session("123456789012", "local", region_name="us-east-1")
    yield Account(session, running.endpoint)
    running.stop()
