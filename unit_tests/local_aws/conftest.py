"""What holds for every test of local_aws."""

from collections.abc import Iterator

import pytest

from local_aws.core.api import JsonService


@pytest.fixture(autouse=True)
def every_answer_has_its_models_shape(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which an answer or a refusal is not what botocore's model declares."""
    seen: list[str] = []
    note = JsonService.note

    def kept(self: JsonService, operation: str, what: str) -> None:
        note(self, operation, what)
        seen.append(f"{operation}: {what}")

    monkeypatch.setattr(JsonService, "note", kept)
    yield
    assert seen == []
