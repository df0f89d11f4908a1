"""What the tests of local_aws share: a server, and a check that applies to every test."""

from collections.abc import Iterator

import pytest

from local_aws.core.api import JsonService
from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud


@pytest.fixture(autouse=True)
def outputs_and_errors_conform_to_the_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which an output or an error is not what botocore's model declares."""
    reported: list[str] = []
    report_violation = JsonService.report_violation

    def record(self: JsonService, operation: str, violation: str) -> None:
        report_violation(self, operation, violation)
        reported.append(f"{operation}: {violation}")

    monkeypatch.setattr(JsonService, "report_violation", record)
    yield
    assert reported == []


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A server of the module's own; it must end without background errors."""
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    assert server.stop() == []
