"""`operations break-glass`: what it writes, what it refuses, and that it judges a value as the hook does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from infrastructure.constructs.traffic_hook.function import break_glass as hook
from operations import __main__ as command
from operations import break_glass
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import FakeAccount, refusing

NAME = "/break-glass-dev/test-traffic-hook"
BY = "arn:aws:sts::123456789012:assumed-role/operators/mary"
NOW = datetime.now(UTC)
SHOWN = {"reason": "the hook is broken", "by": BY}


class Store:
    """A parameter store with one parameter, or none."""

    def __init__(self, value: str | None = None, written: datetime = NOW) -> None:
        self.parameter: dict[str, Any] | None = None
        if value is not None:
            self.parameter = {"Value": value, "LastModifiedDate": written}

    def get(self, **arguments: Any) -> dict[str, Any]:
        assert arguments == {"Name": NAME}
        return refusing("ParameterNotFound")() if self.parameter is None else {"Parameter": self.parameter}

    def put(self, **arguments: Any) -> dict[str, Any]:
        self.parameter = {**arguments, "LastModifiedDate": datetime.now(UTC)}
        return {}

    def delete(self, **arguments: Any) -> dict[str, Any]:
        assert arguments == {"Name": NAME}
        self.parameter = None
        return {}


def account_of(store: Store) -> FakeAccount:
    return FakeAccount(
        {
            ("ssm", "get_parameter"): store.get,
            ("ssm", "put_parameter"): store.put,
            ("ssm", "delete_parameter"): store.delete,
            ("sts", "get_caller_identity"): {"Account": "123456789012", "Arn": BY},
            ("events", "describe_rule"): {"State": "ENABLED"},
            ("codepipeline", "get_pipeline_state"): {"stageStates": []},
        }
    )


def run(monkeypatch: pytest.MonkeyPatch, store: Store, *words: str) -> int:
    monkeypatch.setattr(command, "Account", lambda: account_of(store))
    return command.main(["break-glass", "dev", *words])


def value(minutes: float, **changed: Any) -> str:
    until = (NOW + timedelta(minutes=minutes)).isoformat()
    return json.dumps({**SHOWN, "until": until, **changed})


def test_opening_writes_reason_caller_and_end_and_the_description_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store()
    assert run(monkeypatch, store, "--reason", "the hook is broken", "--minutes", "30") == 0
    assert store.parameter is not None
    written = json.loads(store.parameter["Value"])
    assert {key: written[key] for key in SHOWN} == SHOWN
    left = datetime.fromisoformat(written["until"]) - datetime.now(UTC)
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    expected = f"Open until {written['until']}, by {BY}: the hook is broken"
    assert (store.parameter["Name"], store.parameter["Description"]) == (NAME, expected)
    assert store.parameter["Overwrite"], "a second call extends it"
    assert "it must contain no secret" in capsys.readouterr().out
    assert run(monkeypatch, store) == 1, "open is a finding"
    assert f"is open until {written['until']}, opened by {BY}: the hook" in capsys.readouterr().out


def test_opening_lets_the_release_in_that_waits_for_the_deployment_window(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = account_of(Store())
    stage = {
        "stageName": "Deploy",
        "latestExecution": {"pipelineExecutionId": "e-1", "status": "InProgress"},
        "beforeEntryConditionState": {"latestExecution": {"status": "InProgress"}},
    }
    account.answers["codepipeline", "get_pipeline_state"] = {"stageStates": [stage]}
    account.answers["codepipeline", "override_stage_condition"] = {}
    break_glass.open_break_glass("dev", account, "TICKET-1", 30, print)
    assert "let the execution e-1 into Deploy, outside of the deployment window" in capsys.readouterr().out
    # Not before the reason has been told.
    assert account.operations.index("put_parameter") < account.operations.index("override_stage_condition")


@pytest.mark.parametrize(("name", "status"), [("Promote-prod", "InProgress"), ("Deploy", "Failed")])
def test_a_release_of_another_stage_or_of_yesterday_stays_out(name: str, status: str) -> None:
    account = account_of(Store())
    stage = {
        "stageName": name,
        "latestExecution": {"pipelineExecutionId": "e-1", "status": status},
        "beforeEntryConditionState": {"latestExecution": {"status": status}},
    }
    account.answers["codepipeline", "get_pipeline_state"] = {"stageStates": [stage]}
    break_glass.open_break_glass("dev", account, "TICKET-1", 30, print)
    assert "override_stage_condition" not in account.operations


def test_closing_deletes_the_parameter_and_may_be_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(value(30))
    assert run(monkeypatch, store, "--close") == 0
    assert store.parameter is None
    assert run(monkeypatch, store, "--close") == 0
    assert run(monkeypatch, store) == 0
    assert capsys.readouterr().out.endswith("break-glass of dev is closed\n")


def test_a_dry_run_writes_and_deletes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store()
    assert run(monkeypatch, store, "--reason", "r", "--minutes", "1", "--dry-run") == 0
    assert store.parameter is None
    store = Store(value(30))
    assert run(monkeypatch, store, "--close", "--dry-run") == 0
    assert store.parameter is not None
    told = capsys.readouterr().out
    assert f"would write {NAME}: open until " in told
    assert f"would delete {NAME}" in told


def test_each_form_prints_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, opening = Store(), ["--reason", "the hook is broken", "--minutes", "30"]

    def document(code: int, *words: str) -> dict[str, Any]:
        assert run(monkeypatch, store, "--json", *words) == code
        said = capsys.readouterr()
        found: dict[str, Any] = json.loads(said.out)
        assert found["messages"] == said.err.splitlines()
        return found

    closed = {"suffix": "dev", "is_open": False, "text": "closed", "reason": "", "by": "", "until": ""}
    found = document(0, *opening, "--dry-run")
    assert found == {**closed, "dry_run": True, "messages": found["messages"]}
    assert f"would write {NAME}" in found["messages"][-1]
    found = document(0, *opening)
    assert {name: found[name] for name in ("is_open", *SHOWN)} == {"is_open": True, **SHOWN}
    assert datetime.fromisoformat(found["until"]) > NOW
    assert document(1)["is_open"], "open is a finding"
    assert document(0, "--close")["is_open"] is False
    assert document(0) == {**closed, "dry_run": False, "messages": ["break-glass of dev is closed"]}


@pytest.mark.parametrize(
    "words",
    [
        ["--reason", "why"],
        ["--minutes", "5"],
        ["--close", "--reason", "why", "--minutes", "5"],
        ["--reason", "", "--minutes", "5"],
        ["--reason", " ", "--minutes", "5"],
        ["--reason", "two\nlines", "--minutes", "5"],
        ["--reason", 'a "quotation"', "--minutes", "5"],
        ["--reason", "x" * 301, "--minutes", "5"],
    ],
)
def test_what_cannot_be_a_reason_or_has_no_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    store = Store()
    assert run(monkeypatch, store, *words) == 2
    assert store.parameter is None
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("minutes", ["0", "121", "-1", "1.5", "long", ""])
def test_it_is_open_for_one_minute_to_two_hours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, Store(), "--reason", "why", f"--minutes={minutes}")
    assert stopped.value.code == 2
    assert "is no number of 1 to 120 minutes" in capsys.readouterr().err


@pytest.mark.parametrize("rule", ["break-glass-changed-dev", "break-glass-events-dev"])
@pytest.mark.parametrize("state", ["missing", "DISABLED"])
def test_it_is_not_opened_if_nobody_would_be_told(rule: str, state: str) -> None:
    def describe(Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Name != rule:
            return {"State": "ENABLED"}
        return refusing("ResourceNotFoundException")() if state == "missing" else {"State": state}

    store = Store()
    account = account_of(store)
    account.answers["events", "describe_rule"] = describe
    with pytest.raises(OperationsError, match=f"the rule {rule} is {state}, so nobody would be told"):
        break_glass.open_break_glass("dev", account, "why", 5, lambda _: None)
    assert store.parameter is None


def test_a_wrong_clock_is_reported() -> None:
    """The hook compares with the time at which AWS stored the value."""
    store = Store()

    def put_earlier(**arguments: Any) -> dict[str, Any]:
        store.parameter = {**arguments, "LastModifiedDate": datetime.now(UTC) - timedelta(minutes=10)}
        return {}

    account = account_of(store)
    account.answers["ssm", "put_parameter"] = put_earlier
    with pytest.raises(OperationsError, match="Is the clock of this machine right"):
        break_glass.open_break_glass("dev", account, "why", 115, lambda _: None)


@pytest.mark.parametrize(
    ("given", "written", "is_open"),
    [
        (value(30), NOW, True),
        (value(120), NOW, True),
        (value(121), NOW, False),
        (value(0), NOW, False),
        (value(30), NOW - timedelta(days=1), False),
        (value(30, until="never"), NOW, False),
        (value(30, until="2099-12-31T23:59:59"), NOW, False),
        (value(30, until=4102444800), NOW, False),
        (value(30, reason=" "), NOW, False),
        (value(30, by=None), NOW, False),
        (json.dumps(SHOWN), NOW, False),
        ("open", NOW, False),
        ("[]", NOW, False),
        ("true", NOW, False),
    ],
    # The values have times, which differ between the workers of a run.
    ids=count(1),
)
def test_the_command_judges_a_value_as_the_hook_does(
    monkeypatch: pytest.MonkeyPatch, given: str, written: datetime, is_open: bool
) -> None:
    store = Store(given, written)
    assert break_glass.read("dev", account_of(store), NOW).is_open == is_open
    ssm = SimpleNamespace(get_parameter=store.get, exceptions=SimpleNamespace(ParameterNotFound=KeyError))
    monkeypatch.setattr(boto3, "client", lambda *_, **__: ssm)
    if is_open:
        hook.read(NAME, NOW)
    else:
        with pytest.raises(hook.ClosedError):
            hook.read(NAME, NOW)


def test_the_command_and_the_hook_have_the_same_limit() -> None:
    assert break_glass.LONGEST == hook.LONGEST
