"""The function of the settings guard: which updates fail, and what CloudFormation is told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infrastructure.constructs.settings_guard.function import handler as guard

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-dev/1"
EMAIL = {"notificationEmail": "ops@acme.org"}


def event(
    old: Mapping[str, str], new: Mapping[str, str], *, drop: tuple[str, ...] = (), type_: str = "Update"
) -> dict[str, Any]:
    request = {
        "RequestType": type_,
        "ResponseURL": "https://cloudformation-custom-resource-response.example/answer?signature",
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "SettingsGuard",
        "ResourceProperties": {"Settings": new, "DropSettings": list(drop)},
    }
    return request | ({"OldResourceProperties": {"Settings": old}} if type_ == "Update" else {})


@contextmanager
def status(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the stack have this status, which the function must ask for once."""
    client = boto3.session.Session().client("cloudformation", region_name="us-east-1")
    stack = {"StackName": "stack-dev", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": name}
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
        monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
        yield
        stub.assert_no_pending_responses()


@pytest.fixture(autouse=True)
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which the function calls AWS without need."""
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("AWS is called"))


def test_an_update_without_a_setting_of_the_stack_fails_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """pitfall C11"""
    old = {**EMAIL, "githubRepository": "acme/greeter", "testTrafficCidr": "203.0.113.0/24"}
    with status("UPDATE_IN_PROGRESS", monkeypatch):
        reason = guard.rejection(event(old, {"testTrafficCidr": "198.51.100.0/24"}))
    assert reason == (
        "Nothing was changed: this deployment would drop notificationEmail (ops@acme.org), githubRepository "
        "(acme/greeter) from stack-dev. Add it to the environment in cdk.json, or pass it again with -c; to "
        "drop it, pass -c dropSettings=notificationEmail,githubRepository"
    )


@pytest.mark.parametrize(
    "request_",
    [
        event({}, EMAIL),
        event(EMAIL, EMAIL),
        event(EMAIL, {"notificationEmail": "others@acme.org"}),
        event(EMAIL, {}, drop=("notificationEmail",)),
        event({}, {}, type_="Create"),
        event({}, EMAIL, type_="Delete"),
    ],
)
def test_a_request_that_drops_nothing_untold_succeeds(request_: dict[str, Any]) -> None:
    assert guard.rejection(request_) is None


def test_a_setting_that_may_not_be_dropped_fails_although_another_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with status("UPDATE_IN_PROGRESS", monkeypatch):
        reason = guard.rejection(event({**EMAIL, "account": "1"}, {}, drop=("account",)))
    assert reason is not None
    assert "drop notificationEmail (ops@acme.org) from" in reason


@pytest.mark.parametrize("name", ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_a_rollback_may_drop_what_the_failed_update_added(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback that fails leaves the stack in UPDATE_ROLLBACK_FAILED."""
    with status(name, monkeypatch):
        assert guard.rejection(event(EMAIL, {})) is None


@pytest.mark.parametrize("reason", [None, "dropped"])
def test_cloudformation_gets_the_answer_at_the_url_of_the_request(
    reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    @contextmanager
    def send(request: Any, timeout: float) -> Iterator[None]:
        sent.append((request, timeout))
        yield

    monkeypatch.setattr(urllib.request, "urlopen", send)
    monkeypatch.setattr(guard, "rejection", lambda _: reason)
    guard.handler(event({}, {}), SimpleNamespace(function_name="settings-guard-dev"))
    ((request, _),) = sent
    assert (request.get_method(), request.full_url) == ("PUT", event({}, {})["ResponseURL"])
    # The signed URL of S3 has no type.
    assert request.get_header("Content-type") == ""
    assert json.loads(request.data) == {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "",
        # The same in every answer: another id would replace the resource.
        "PhysicalResourceId": "settings-guard-dev",
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "SettingsGuard",
    }


def test_an_answer_that_does_not_arrive_is_raised_so_that_lambda_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise urllib.error.URLError("unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(urllib.error.URLError):
        guard.handler(event({}, {}), SimpleNamespace(function_name="settings-guard-dev"))
