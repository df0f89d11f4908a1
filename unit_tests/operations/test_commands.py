"""The commands: exit codes, and former names; test_command_line.py has their help."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from operations import __main__ as command
from operations import immutable, runs
from operations.errors import OperationsError
from operations.immutable import Change
from unit_tests.operations.account_fakes import FakeAccount

CHANGE = Change("dev", "AWS::ECS::Service", "Service", "DesiredCount", 2, 3)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Account", lambda: FakeAccount({}))


@pytest.mark.parametrize(("changes", "code"), [([], 0), ([CHANGE], 1)])
def test_a_change_of_an_immutable_property_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changes: list[Change], code: int
) -> None:
    monkeypatch.setattr(immutable, "find", lambda *_: changes)
    assert command.main(["immutable", "dev"]) == code
    assert capsys.readouterr().err.count("--desired-count 3") == len(changes)


def test_templates_that_cannot_be_read_are_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["immutable", "dev", "--templates", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"operations: {tmp_path} has no templates of dev")


@pytest.mark.parametrize(("former", "current"), [("frozen", "immutable"), ("guard", "drift")])
def test_a_former_name_still_works_and_prints_the_current_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], former: str, current: str
) -> None:
    def unavailable(*_: object) -> None:
        raise OperationsError("not available")

    monkeypatch.setattr(immutable, "find", unavailable)
    monkeypatch.setattr(runs, "listener_drift", SimpleNamespace(inspect=unavailable))
    assert command.main([former, "dev"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"operations: {former} is now called {current}",
        "operations: not available",
    ]


def test_former_names_are_not_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])
    said = capsys.readouterr().out
    assert "immutable" in said
    assert not {name for name in command.RENAMED if name in said}
