"""CodeCommit on a temporary folder, with the events that it sends."""

from pathlib import Path
from typing import Any

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codecommit.service import CodeCommit
from unit_tests.local_aws.services.codecommit.fakes import Events


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def context(tmp_path: Path, events: Events) -> Context:
    def emit(source: str, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        assert (source, detail_type) == ("aws.codecommit", "CodeCommit Repository State Change")
        assert resources == [f"arn:aws:codecommit:us-east-1:123456789012:{detail['repositoryName']}"]
        events.append(detail)

    return Context(tmp_path, "http://127.0.0.1:1", Clock(), "test", emit)


@pytest.fixture
def codecommit(context: Context) -> CodeCommit:
    service = CodeCommit(context)
    service.call("CreateRepository", {"repositoryName": "repository-dev"})
    return service
