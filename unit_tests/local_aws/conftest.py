"""A check that applies to every test of local_aws."""

from collections.abc import Iterator

import pytest

from local_aws.core.api import JsonService


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
