"""An account whose services return what a test recorded, and record the calls."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account

Answer = dict[str, Any] | Callable[..., dict[str, Any]]


class FakeClient:
    """Returns the recorded answer of an operation; any other operation fails the test."""

    def __init__(self, service: str, account: "FakeAccount") -> None:
        self._service = service
        self._account = account

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def ask(**arguments: Any) -> dict[str, Any]:
            self._account.asked.append((self._service, operation, arguments))
            answer = self._account.answers[self._service, operation]
            return answer(**arguments) if callable(answer) else answer

        return ask


class FakeAccount(Account):
    """`answers` by (service, operation); `asked` are the calls in their order."""

    def __init__(self, answers: dict[tuple[str, str], Answer]) -> None:
        super().__init__(session=SimpleNamespace(region_name="us-east-1"))
        self.answers = answers
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str) -> FakeClient:
        return FakeClient(service, self)

    @property
    def operations(self) -> list[str]:
        """The names of the operations that were called."""
        return [operation for _, operation, _ in self.asked]


def named(**answers: Answer) -> dict[tuple[str, str], Answer]:
    """Return answers that are named SERVICE__OPERATION by service and operation."""
    found = {}
    for name, answer in answers.items():
        service, _, operation = name.partition("__")
        found[service, operation] = answer
    return found


def refusing(code: str) -> Callable[..., dict[str, Any]]:
    """Return an answer that fails with AWS's error `code`."""

    def refuse(**_arguments: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": code, "Message": "refused"}}, "Operation")

    return refuse
