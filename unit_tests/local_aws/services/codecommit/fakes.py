"""A fake S3, and short calls of CodeCommit's API."""

import io
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codecommit.service import CodeCommit

Events = list[dict[str, Any]]


class FakeS3:
    def __init__(self, body: bytes, length: int | None = None) -> None:
        self.body = body
        self.length = length if length is not None else len(body)

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"ContentLength": self.length, "Body": io.BytesIO(self.body)}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "the condition is not true after 5 s"
        time.sleep(0.01)


def commit(
    service: CodeCommit, path: str, content: bytes, parent: str | None = None, branch: str = "main"
) -> str:
    params: dict[str, Any] = {
        "repositoryName": "repository-dev",
        "branchName": branch,
        "authorName": "Ada",
        "email": "ada@example.com",
        "commitMessage": "a change",
        "putFiles": [{"filePath": path, "fileContent": content, "fileMode": "EXECUTABLE"}],
    }
    if parent:
        params["parentCommitId"] = parent
    return str(service.call("CreateCommit", params)["commitId"])


def error_code(service: CodeCommit, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        service.call(operation, {"repositoryName": "repository-dev", **params})
    return caught.value.code
