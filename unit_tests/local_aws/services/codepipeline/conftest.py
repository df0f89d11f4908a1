"""CodePipeline with its fakes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, running


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    with running(tmp_path, monkeypatch) as found:
        yield found
