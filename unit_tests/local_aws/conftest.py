"""Every local_aws of these tests runs containers as processes; a test of another engine says so itself."""

import os
from collections.abc import Iterator

import pytest

from local_aws.containers.choice import VARIABLE


@pytest.fixture(scope="session", autouse=True)
def processes_as_containers() -> Iterator[None]:
    """Keep the machine's own docker or podman out of the tests."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "processes"
    yield
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
