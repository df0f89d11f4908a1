"""Parses a Dockerfile into instructions: continuations, comments, flags, exec and shell form, substitution.

dockerfile-parse 2.0.1 does not replace it: it reads the lines of a heredoc as instructions, ends a continued
instruction at an empty line, and supports neither flags, exec form nor `${name:-word}`.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

# fmt: off
SUPPORTED = frozenset({
    "ARG", "FROM", "LABEL", "ENV", "WORKDIR", "COPY", "RUN", "EXPOSE", "USER", "STOPSIGNAL", "HEALTHCHECK",
    "CMD", "ENTRYPOINT",
})
# fmt: on
KNOWN = SUPPORTED | {"ADD", "MAINTAINER", "ONBUILD", "SHELL", "VOLUME"}

_VARIABLE = re.compile(
    r"\\(?P<escaped>\$)|\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?::(?P<operator>[-+])(?P<word>[^}]*))?\})"
)
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")


class DockerfileError(Exception):
    """The Dockerfile is invalid. The text is Docker's own."""


class UnsupportedError(Exception):
    """A valid instruction that needs Docker. The text names it and its line."""

    def __init__(self, text: str, line: int | None = None) -> None:
        place = f" (line {line})" if line else ""
        super().__init__(f"local_aws (processes) cannot run: {text}{place}; use docker")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its upper-case `name`, what follows it, and the line where it starts."""

    name: str
    arguments: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} {self.arguments}".strip()


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile. Raises `DockerfileError` or `UnsupportedError`."""
    instructions = [_instruction(line, number) for number, line in _logical_lines(text)]
    if not instructions:
        raise DockerfileError("the Dockerfile cannot be empty")
    _check_stages(instructions)
    return instructions


def _check_stages(instructions: list[Instruction]) -> None:
    first = next((item for item in instructions if item.name != "ARG"), None)
    if first is None or first.name != "FROM":
        raise DockerfileError("no build stage in current context: a Dockerfile starts with FROM")
    stages = [item for item in instructions if item.name == "FROM"]
    if len(stages) > 1:
        raise UnsupportedError(f"a second stage, {stages[1]}", stages[1].line)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        # Docker also drops comment and empty lines inside a continued instruction.
        if not line or line.startswith("#"):
            continue
        start = start or number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        lines.append((start, pending + line))
        pending, start = "", 0
    if pending.strip():
        lines.append((start, pending.strip()))
    return lines


def _instruction(line: str, number: int) -> Instruction:
    word, _, rest = line.partition(" ")
    name = word.upper()
    if name not in KNOWN:
        raise DockerfileError(f"dockerfile parse error on line {number}: unknown instruction: {word}")
    if name not in SUPPORTED or (name in ("RUN", "COPY") and "<<" in rest):
        raise UnsupportedError(line, number)
    if not rest.strip():
        raise DockerfileError(f"dockerfile parse error on line {number}: {name} requires arguments")
    return Instruction(name, " ".join(rest.split()) if name in ("RUN", "COPY") else rest.strip(), number)


def flags(arguments: str) -> tuple[dict[str, str], str]:
    """Split `--flag=value` words off the front of an instruction's arguments."""
    found: dict[str, str] = {}
    while match := _FLAG.match(arguments):
        found[match[1]] = match[2] or ""
        arguments = arguments[match.end() :]
    return found, arguments


def exec_form(arguments: str) -> tuple[str, ...] | None:
    """Return the words of an exec form (a JSON list of strings), or None for a shell form."""
    if not arguments.startswith("["):
        return None
    try:
        words = json.loads(arguments)
    except ValueError:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return tuple(words)


def command(arguments: str) -> tuple[str, ...]:
    """Return the words to execute: those of the exec form, or `/bin/sh -c` and the shell form."""
    words = exec_form(arguments)
    return ("/bin/sh", "-c", arguments) if words is None else words


def pairs(instruction: Instruction) -> dict[str, str]:
    """Return the `key=value` pairs of ENV, LABEL or ARG; the old form `ENV key value` is one pair."""
    words = _split(instruction)
    if "=" not in words[0]:
        key, _, value = instruction.arguments.partition(" ")
        return {key: value.strip()}
    for word in words:
        if "=" not in word:
            raise DockerfileError(f"Syntax error - can't find = in {word!r} (line {instruction.line})")
    return dict(word.split("=", 1) for word in words)


def _split(instruction: Instruction) -> list[str]:
    try:
        return shlex.split(instruction.arguments)
    except ValueError as error:
        raise DockerfileError(f"dockerfile parse error on line {instruction.line}: {error}") from error


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$name`, `${name}`, `${name:-word}` and `${name:+word}`; an unknown name is empty."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        known = variables.get(match["name"] or match["braced"], "")
        if match["operator"] == "-":
            return known or match["word"]
        if match["operator"] == "+":
            return match["word"] if known else ""
        return known

    return _VARIABLE.sub(value, text)
