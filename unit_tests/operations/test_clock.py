"""What a terminal shows while a command waits for AWS."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from operations import __main__ as command
from operations import leftovers, listener_drift, preflight, runs, status, why
from operations.clock import clock
from operations.errors import OperationsError
from operations.rollback import deployment, stage
from unit_tests.operations.account_fakes import FakeAccount


@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_terminal_has_the_clock_with_what_is_waited_for(is_terminal: bool) -> None:
    drawn = io.StringIO()
    with clock("looking [red]", Console(file=drawn, force_terminal=is_terminal, color_system=None)):
        time.sleep(0.3)
    assert ("0:00:00 looking [red]" in drawn.getvalue()) is is_terminal
    assert bool(drawn.getvalue()) is is_terminal


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What clocks show, in turn; each waiting fails while its clock is shown."""
    texts: list[str] = []
    now: list[str] = []

    @contextmanager
    def recorded(what: str) -> Iterator[None]:
        now.append(what)
        try:
            yield
        finally:
            now.clear()

    def waiting(*_: object, **__: object) -> Any:
        texts.extend(now)
        raise OperationsError("it lasts")

    for module in (runs, status.command, why.command, deployment, stage):
        monkeypatch.setattr(module, "clock", recorded)
    monkeypatch.setattr(command, "Account", lambda: FakeAccount({}))
    monkeypatch.setattr(preflight, "inspect", waiting)
    monkeypatch.setattr(leftovers, "find", waiting)
    monkeypatch.setattr(listener_drift, "wait_for_deployments", waiting)
    monkeypatch.setattr(status, "one", waiting)
    monkeypatch.setattr(status, "fleet", waiting)
    monkeypatch.setattr(why, "explain", waiting)
    monkeypatch.setattr(deployment, "wait_for", waiting)
    monkeypatch.setattr(stage, "wait_for", waiting)
    return texts


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("preflight dev", "checking the account for dev"),
        ("leftovers dev", "looking for resources of dev"),
        ("drift dev --wait 30", "waiting for the end of every deployment of dev"),
        ("status", "reading every environment"),
        ("status dev", "reading dev"),
        ("why dev", "reading the release of dev and its logs"),
    ],
)
def test_a_command_that_waits_for_aws_says_for_what(line: str, what: str, shown: list[str]) -> None:
    assert command.main(line.split()) == 2
    assert shown == [what]


def test_a_rollback_says_what_it_waits_for(shown: list[str]) -> None:
    answers: Any = {
        ("codedeploy", "stop_deployment"): {},
        ("codepipeline", "rollback_stage"): {"pipelineExecutionId": "e-2"},
    }
    version: Any = SimpleNamespace(title="232e3da", execution="e-1")
    names: Any = SimpleNamespace(pipeline="pipeline-dev")
    with pytest.raises(OperationsError):
        deployment.stop(FakeAccount(answers), "d-1")
    with pytest.raises(OperationsError):
        stage.roll_back(FakeAccount(answers), names, "Deploy", version, lambda _: None)
    assert shown == ["waiting for the rollback of d-1", "waiting until 232e3da has all traffic"]
