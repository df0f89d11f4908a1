"""Every command tells its purpose, its options and its exit codes in the same form."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

import benchmarks.__main__
import harness.__main__
import local_aws.__main__
import operations.__main__
import operations.command_line
import tools.__main__
import tools.release_notes
from harness.scenario import ScenarioError
from infrastructure.errors import AppError
from local_aws.core.errors import LocalAwsError
from operations.errors import OperationsError

ROOMS: tuple[ModuleType, ...] = (
    benchmarks.__main__,
    harness.__main__,
    local_aws.__main__,
    operations.__main__,
    tools.__main__,
    tools.release_notes,
)
# The first words of the descriptions: imperatives.
VERBS = set(
    re.findall(
        r"\w+",
        "answer build check compare create delete deploy destroy drive explain fetch let list measure "
        "print reject require return run serve set show stop synthesize write ",
    )
)
ONE_LINE = re.compile(r"\S.*: see .* --help\n")
# Whatever an option's type is, a person does not mean this.
NONSENSE = "<no such value>"


class Command(NamedTuple):
    """A command, or a program that has them: what the line begins with, its parser, and its one-line help."""

    words: tuple[str, ...]
    parser: argparse.ArgumentParser
    summary: str | None
    main: Callable[[list[str]], int]

    @property
    def options(self) -> list[argparse.Action]:
        """What it can be told, without `--help` and what no help shows."""
        hidden = (argparse._HelpAction, argparse._SubParsersAction)
        return [
            one
            for one in self.parser._actions
            if not isinstance(one, hidden) and one.help != argparse.SUPPRESS
        ]


def commands() -> Iterator[Command]:
    for room in ROOMS:
        parser = room.parser()
        yield Command((), parser, None, room.main)
        for group in parser._actions:
            if isinstance(group, argparse._SubParsersAction):
                summaries = {choice.dest: choice.help for choice in group._choices_actions}
                for name, summary in summaries.items():
                    yield Command((name,), group.choices[name], summary, room.main)


COMMANDS = list(commands())
each_command = pytest.mark.parametrize("command", COMMANDS, ids=[one.parser.prog for one in COMMANDS])


def without_default(words: str | None) -> str:
    return re.sub(r" \(default: .*\)$", "", words or "")


@each_command
def test_its_description_begins_with_an_imperative_and_is_made_of_sentences(command: Command) -> None:
    description = command.parser.description or ""
    first = description.split(" ")[0]
    assert first.istitle()
    assert first.lower() in VERBS
    assert description.endswith(".")


@each_command
def test_its_summary_is_the_first_sentence_of_its_description(command: Command) -> None:
    if command.summary is not None:
        assert f"{command.parser.description}".lower().startswith(f"{command.summary.lower()}.")
        assert command.summary[0].islower()


@each_command
def test_each_option_has_help_in_the_same_form(command: Command) -> None:
    for option in command.options:
        words = option.help or ""
        assert without_default(words), option.dest
        assert not words[0].isupper(), f"{words} begins with a capital letter"
        assert not words.endswith("."), f"{words} ends with a full stop"
        assert "(default" not in words or without_default(words) != words, words


def test_the_same_option_has_the_same_help_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for command in COMMANDS:
        for option in command.options:
            # The name of a service is one that exists, or one that does not.
            names = option.option_strings or [option.dest] * (option.dest != "name")
            for name in names:
                found.setdefault(name.lstrip("-"), set()).add(without_default(option.help))
    assert {"json", "dry-run", "port", "time-scale", "suffix", "state"} <= set(found)
    assert {name: words for name, words in found.items() if len(words) > 1} == {}


@each_command
def test_its_help_has_the_one_meaning_of_the_exit_codes(command: Command) -> None:
    assert (command.parser.epilog or "").endswith(operations.command_line.EXIT_CODES)


def mistakes() -> Iterator[tuple[Command, list[str]]]:
    for command in COMMANDS:
        yield command, [*command.words, "--nosuch", NONSENSE]
        for option in command.options:
            if option.option_strings and (option.type not in (None, Path) or option.choices):
                yield command, [*command.words, option.option_strings[0], NONSENSE]


@pytest.mark.parametrize(
    ("command", "arguments"), list(mistakes()), ids=lambda one: " ".join(one) if isinstance(one, list) else ""
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    command: Command, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert ONE_LINE.fullmatch(printed.err), printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--port", "65536"],
        ["up", "--port", "-1"],
        ["up", "--time-scale", "0"],
        ["up", "--time-scale", "2"],
    ],
)
def test_local_aws_takes_no_number_that_would_fail_later(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        local_aws.__main__.main(arguments)
    assert ended.value.code == 2
    assert ONE_LINE.fullmatch(capsys.readouterr().err)


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DescribeStacks")
UNREACHABLE = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("room", "error", "code"),
    [
        (benchmarks.__main__, OperationsError("no CDK CLI: run make setup"), 2),
        (benchmarks.__main__, ScenarioError("the release failed"), 1),
        (benchmarks.__main__, KeyboardInterrupt(), 130),
        (harness.__main__, OperationsError("no such service"), 2),
        (harness.__main__, ScenarioError("the release failed"), 1),
        (harness.__main__, REFUSED, 2),
        (harness.__main__, UNREACHABLE, 2),
        (harness.__main__, NoCredentialsError(), 2),
        (harness.__main__, KeyboardInterrupt(), 130),
        (local_aws.__main__, LocalAwsError("the port is taken"), 2),
        (local_aws.__main__, PermissionError(13, "Permission denied"), 2),
        (local_aws.__main__, KeyboardInterrupt(), 130),
        (operations.__main__, OperationsError("no such stack"), 2),
        (operations.__main__, REFUSED, 2),
        (operations.__main__, UNREACHABLE, 2),
        (operations.__main__, NoCredentialsError(), 2),
        (operations.__main__, KeyboardInterrupt(), 130),
        (tools.__main__, AppError("NAME is missing"), 2),
        (tools.__main__, PermissionError(13, "Permission denied"), 2),
        (tools.__main__, KeyboardInterrupt(), 130),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2_and_what_failed_is_1(
    room: ModuleType,
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*_: object) -> int:
        raise error

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=run, command="status")
    monkeypatch.setattr(room, "parser", lambda: parser)
    assert room.main([]) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
