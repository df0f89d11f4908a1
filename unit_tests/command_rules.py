"""Whether a tool's own parser or help knows a command; none of them is run."""

from __future__ import annotations

import importlib.util
import io
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
from awscli.clidriver import create_clidriver

import harness.__main__
import operations.__main__
import tools.__main__
from infrastructure.config.settings import Config

PROJECT = Path(__file__).resolve().parent.parent
# Parsed here: each `--help` would start a Python of its own.
PARSERS = {
    "harness": harness.__main__.parser,
    "operations": operations.__main__.parser,
    "tools": tools.__main__.parser,
}
TOOLS = Path(sys.prefix) / "bin"
# What no rule here looks at, and why not.
BY_HAND = {
    'export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"': "the shell's own; somebody has run it",
    "gh api repos/OWNER/NAME --jq '.owner.id, .id'": "no gh here; somebody has run it",
    "gh api repos/OWNER/NAME --jq .owner.id": "no gh here; somebody has run it",
    "gh api repos/OWNER/NAME --jq .id": "no gh here; somebody has run it",
    "aws codecommit credential-helper": "not in a model; git calls it in each scenario (developer.py)",
    "docker compose": "named because it is refused; test_docker_plan.py has that",
    "python -c": "what the bootstrap server's task runs; test_bootstrap_server.py has that",
}
# botocore cannot make a sample of their answers, whose own limits it breaks: the input's names are checked.
NO_SAMPLE = {"create-role", "get-pipeline-state", "update-service"}


@cache
def check(command: str) -> None:
    """Raise `AssertionError` or `SystemExit` for what no tool here would understand."""
    if command in BY_HAND:
        return
    # Somebody types the password there, or a hash.
    words = shlex.split(command.replace('"$(cat)"', "secret").replace(" HASH", f" {'0' * 40}"))
    assert words[0] in RULES, f"no rule here knows {words[0]}"
    RULES[words[0]](words)


def _make(words: list[str]) -> None:
    targets = re.findall(r"^(?!\.)([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.M)
    asked = [word for word in words[1:] if "=" not in word]
    assert asked
    assert set(asked) <= set(targets)


def _operations(words: list[str]) -> None:
    """Let the parser take it; a sentence names a command without its suffix."""
    PARSERS["operations"]().parse_args([*words[1:], "dev"] if len(words) == 2 else words[1:])


def _python(words: list[str]) -> None:
    """Look for a module, and in its help for what it is told; one without a parser can be told nothing."""
    assert words[1] == "-m"
    module, told = words[2], words[3:]
    if module == "operations":
        # As a line to be typed, it has its suffix.
        PARSERS[module]().parse_args(told)
        return
    if module in PARSERS:
        _options(told, _help_of(PARSERS[module](), *[word for word in told[:1] if word != "--help"]))
        return
    source = _main_source(module)
    if told:
        assert "argparse" in source, f"{module} has no options"
        _options(told, _help_of_module(module, told))


def _main_source(module: str) -> str:
    """Return the source of what `python -m` runs."""
    found = importlib.util.find_spec(module)
    assert found, f"there is no module {module}"
    if found.submodule_search_locations:
        found = importlib.util.find_spec(f"{module}.__main__")
    assert found, f"{module} cannot be run"
    assert found.origin
    return Path(found.origin).read_text("utf-8")


def _help_of_module(module: str, told: list[str]) -> str:
    known = _help(sys.executable, "-m", module, "--help")
    if f"{told[0]}," in known or f"{told[0]}}}" in known:
        known = _help(sys.executable, "-m", module, told[0], "--help")
    return known


def _pytest(words: list[str]) -> None:
    folder = words[1]
    assert (PROJECT / folder).is_dir()
    _options(words[2:], _help(sys.executable, "-m", "pytest", folder, "--help"))


def _git(words: list[str]) -> None:
    """Look for git's own command, and in its usage for the options; what they are about is the reader's."""
    assert words[1] in _help("git", "--list-cmds=main").split()
    # It ends with 129, as after a mistake.
    done = subprocess.run(["git", words[1], "-h"], check=False, capture_output=True, text=True)  # noqa: S603, S607
    _options(words[2:], done.stdout + done.stderr)


def _cdk(words: list[str]) -> None:
    known = _help(str(PROJECT / "node_modules/.bin/cdk"), words[1], "--help")
    assert f"cdk {words[1]}" in known, f"cdk has no {words[1]}"
    _options(words[2:], known)
    settings = [words[number + 1] for number, word in enumerate(words) if word == "-c"]
    assert {one.partition("=")[0] for one in settings} <= set(Config.rules())


def _aws(words: list[str]) -> None:
    """Let the AWS CLI parse and validate it, and answer with a sample instead of a call.

    Without any option it is the operation's name, of which the CLI tells what it would take.
    """
    sample = "input" if words[2] in NO_SAMPLE or len(words) == 3 else "output"
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        code = create_clidriver().main(
            [*words[1:], "--region", "us-east-1", "--generate-cli-skeleton", sample]
        )
    assert code == 0, printed.getvalue()


def _uv(words: list[str]) -> None:
    known = _help(str(TOOLS / "uv"), *words[1:3], "--help")
    asked = {word for word in words if word.startswith("--")}
    # `--no-header` is there wherever `--header` is, and the help shows one of them.
    shown = set(re.findall(r"--[a-z-]+", known))
    assert {one for one in asked if one.replace("--no-", "--") not in shown} <= shown


def _help_of(parser: ArgumentParser, *command: str) -> str:
    """Return what a parser of ours prints for `--help`. Raises `SystemExit` for a command that it lacks."""
    printed = io.StringIO()
    with redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        parser.parse_args([*command, "--help"])
    if ended.value.code:
        raise ended.value
    return printed.getvalue()


def _options(words: list[str], known: str) -> None:
    for word in words:
        if word.startswith("-"):
            name = re.escape(word.partition("=")[0])
            assert re.search(rf"(^|[\s\[,(|]){name}(?![\w-])", known), f"there is no {word}"


@cache
def _help(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=PROJECT).stdout  # noqa: S603 - our own tools


RULES: dict[str, Callable[[list[str]], None]] = {
    "aws": _aws,
    "cdk": _cdk,
    "git": _git,
    "make": _make,
    "operations": _operations,
    "pytest": _pytest,
    "python": _python,
    "uv": _uv,
}
