"""A cloud with a recorded response for each operation of boto3."""

from collections.abc import Callable, Iterator
from typing import Any

URL = "http://127.0.0.1:41080"

Responses = dict[str, Any]


class RecordedCloud:
    """Returns the recorded response of each operation: a value, an error to raise, or a function to call."""

    name = "local_aws"
    endpoint = "http://127.0.0.1:9"
    time_scale = 0.02
    poll_seconds = 0.01

    def __init__(self, responses: Responses) -> None:
        self.responses = responses
        self.account = self

    def client(self, _service: str) -> "RecordedCloud":
        return self

    def interval(self, local: float) -> float:
        return local

    def resolve(self, _url: str) -> str:
        return URL

    def pages(self, _service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        yield from getattr(self, operation)(**arguments)[key]

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        response = self.responses[operation]
        if isinstance(response, Exception):
            raise response
        return response if callable(response) else lambda **_: response
