"""The commands: exit codes, JSON, dry runs, and former names; test_command_line.py has their help."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from operations import __main__ as command
from operations import immutable, rollback, runs
from operations.errors import OperationsError
from operations.immutable import Change
from unit_tests.operations.account_fakes import FakeAccount

# Without `--dry-run`: they change nothing, or nothing without another option, or another command shows it.
NO_DRY_RUN = {
    "fleet deploy": "fleet plan",
    "fleet plan": "",
    "immutable": "",
    "leftovers": "",
    "preflight": "without --fix",
    "secrets list": "",
    "status": "",
    "why": "",
}
CHANGE = Change("dev", "AWS::ECS::Service", "Service", "DesiredCount", 2, 3)


def options_of(parser: argparse.ArgumentParser, *words: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each command that can be run, with its options."""
    groups = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not groups:
        yield " ".join(words), set(parser._option_string_actions)
    for group in groups:
        for name in {one.dest for one in group._choices_actions}:
            yield from options_of(group.choices[name], *words, name)


def test_each_command_has_json_and_a_dry_run_where_it_changes_something() -> None:
    found = dict(options_of(command.parser()))
    assert {"approve", "secrets set", *NO_DRY_RUN} <= set(found)
    assert {name for name, options in found.items() if not {"--help", "--json"} <= options} == set()
    assert {name for name, options in found.items() if "--dry-run" not in options} == set(NO_DRY_RUN)


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


def test_the_findings_are_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(immutable, "find", lambda *_: [CHANGE])
    assert command.main(["immutable", "dev", "--json"]) == 1
    said = capsys.readouterr()
    assert (json.loads(said.out), said.err) == ({"suffix": "dev", "findings": [str(CHANGE)]}, "")


@pytest.mark.parametrize("has_succeeded", [True, False])
def test_a_rollback_is_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], has_succeeded: bool
) -> None:
    def go_back(suffix: str, _: object, log: Callable[[str], None], **given: object) -> bool:
        log(f"{suffix}: {given}")
        return has_succeeded

    monkeypatch.setattr(rollback, "go_back", go_back)
    arguments = ["rollback", "dev", "--json", "--promotion", "prod", "--dry-run"]
    assert command.main(arguments) == int(not has_succeeded)
    said = capsys.readouterr()
    line = "dev: {'to': '', 'promotion': 'prod', 'dry_run': True}"
    assert (json.loads(said.out), said.err) == (
        {
            "suffix": "dev",
            "promotion": "prod",
            "dry_run": True,
            "has_succeeded": has_succeeded,
            "messages": [line],
        },
        f"{line}\n",
    )


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
