"""The data plane, and the servers behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.core.context import Context
from local_aws.services.elbv2.records import ElbSnapshot
from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    Loop,
    balancing,
    make_context,
)
from unit_tests.local_aws.services.elbv2.control_plane import control_plane


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return make_context(tmp_path)


@pytest.fixture
def plane(context: Context) -> Iterator[LoadBalancing]:
    with balancing(context) as running:
        yield running


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[list[ElbSnapshot]]:
    """The snapshots of an empty control plane, in the order of the changes."""
    with control_plane(tmp_path) as snapshots:
        yield snapshots
