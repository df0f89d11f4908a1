"""Before production, or a protected environment, is destroyed, a person gives its name."""

from __future__ import annotations

from typing import Any

import pytest

from operations import __main__ as command
from operations import runs
from operations.confirmation import confirm
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.destroy_answers import no_stack, stack

PROTECTED = stack("CREATE_COMPLETE", EnableTerminationProtection=True)


class Terminal:
    """The standard input of a test."""

    def __init__(self, *, tty: bool) -> None:
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def account(described: Any = no_stack) -> FakeAccount:
    return FakeAccount({("cloudformation", "describe_stacks"): described})


@pytest.fixture(params=[("prod", no_stack), ("orders-prod", no_stack), ("dev", PROTECTED)])
def asked(request: pytest.FixtureRequest) -> tuple[str, FakeAccount]:
    """An environment whose name is asked for."""
    suffix, described = request.param
    return suffix, account(described)


def at(monkeypatch: pytest.MonkeyPatch, *, tty: bool, answer: str = "") -> None:
    monkeypatch.setattr("sys.stdin", Terminal(tty=tty))
    monkeypatch.setattr("builtins.input", lambda: answer)


@pytest.mark.parametrize("suffix", ["dev", "product", "prod-2", "staging"])
def test_other_environments_are_destroyed_without_a_question(
    monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    at(monkeypatch, tty=False)
    confirm(suffix, account(stack("CREATE_COMPLETE")))


def test_the_name_that_is_typed_at_the_prompt_confirms(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, FakeAccount]
) -> None:
    at(monkeypatch, tty=True, answer=f"{asked[0]}\n")
    confirm(*asked)


@pytest.mark.parametrize("answer", ["", "y", "yes", "staging", "PROD"])
def test_anything_else_at_the_prompt_does_not(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, FakeAccount], answer: str
) -> None:
    at(monkeypatch, tty=True, answer=answer)
    with pytest.raises(OperationsError, match="nothing is destroyed"):
        confirm(*asked)


def test_the_name_on_the_command_line_confirms_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, FakeAccount]
) -> None:
    at(monkeypatch, tty=False)
    confirm(*asked, asked[0])
    with pytest.raises(OperationsError, match="'dev2' is not the name"):
        confirm(*asked, "dev2")


def test_without_a_terminal_and_a_name_the_command_ends_with_2_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Identified(FakeAccount):
        id = "123456789012"
        region = "us-east-1"

    at(monkeypatch, tty=False)
    monkeypatch.setattr(command, "Account", lambda: Identified({}))
    monkeypatch.setattr(runs, "destroy", lambda *_, **__: pytest.fail("it is destroyed"))
    assert command.main(["destroy", "prod"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("add --confirm prod")


def test_a_dry_run_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    class Identified(FakeAccount):
        id = "123456789012"
        region = "us-east-1"

    at(monkeypatch, tty=False)
    monkeypatch.setattr(command, "Account", lambda: Identified({}))
    monkeypatch.setattr(runs, "destroy", lambda *_, **__: None)
    assert command.main(["destroy", "prod", "--dry-run"]) == 0
    assert command.main(["destroy", "prod", "--confirm", "prod"]) == 0
