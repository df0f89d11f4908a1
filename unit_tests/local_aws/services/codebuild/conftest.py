"""CodeBuild with its fakes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit_tests.local_aws.services.codebuild.fakes import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.codebuild.stop()
    assert world.context.background_errors == []
    assert world.locked == []
    assert list((tmp_path / "codebuild" / "builds").glob("*")) == []
