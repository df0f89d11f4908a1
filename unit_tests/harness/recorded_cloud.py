"""A cloud that answers each of boto3's operations with what was recorded for it."""

from collections.abc import Callable, Iterator
from typing import Any

URL = "http://127.0.0.1:41080"

Answers = dict[str, Any]


class RecordedCloud:
    """Answers each operation with what was recorded for it: an answer, an error, or a function."""

    name = "local_aws"
    endpoint = "http://127.0.0.1:9"
    time_scale = 0.02

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.account = self

    def client(self, _service: str) -> "RecordedCloud":
        return self

    def resolve(self, _url: str) -> str:
        return URL

    def pages(self, _service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        yield from getattr(self, operation)(**arguments)[key]

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer if callable(answer) else lambda **_: answer
