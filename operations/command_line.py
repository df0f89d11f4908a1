"""What the command lines have in common: the meaning of exit codes, one line for a mistake, and JSON."""

import argparse
import json
import sys
from typing import Any, NoReturn

EXIT_CODES = (
    "Exit code 0: done. 1: something is wrong, or what was tried has failed. 2: wrong usage, or it cannot be "
    "done; one line says why."
)


class Parser(argparse.ArgumentParser):
    """Report a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line, and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message}: see {self.prog} --help\n")


class Output:
    """What a command prints: lines, or with `--json` one document.

    The document is all of standard output then. It has the lines as `messages`, and they are on standard
    error at once.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.is_json: bool = options.json
        self._messages: list[str] = []

    def log(self, line: str) -> None:
        """Print a line at once: some commands take minutes."""
        self._messages.append(line)
        print(line, file=sys.stderr if self.is_json else sys.stdout, flush=True)

    def end(self, **data: Any) -> None:
        """Print the document, if it is wanted."""
        if self.is_json:
            print_json({**data, "messages": self._messages})


def print_json(data: Any) -> None:
    """Print a document of JSON; what JSON has no type for, such as a time, is text."""
    print(json.dumps(data, indent=2, default=str))


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the option for JSON."""
    command.add_argument("--json", action="store_true", help="print JSON")


def add_dry_run(command: argparse.ArgumentParser) -> None:
    """Add the option for changing nothing."""
    command.add_argument("--dry-run", action="store_true", help="only print what it would do")


def add_context(command: argparse.ArgumentParser) -> None:
    """Add the option for settings that the CDK CLI gets on its command line."""
    command.add_argument(
        "-c",
        "--context",
        action="append",
        default=[],
        type=context_value,
        metavar="KEY=VALUE",
        help="a setting that cdk deploy gets with -c too, such as allowHttp=true",
    )


def context_value(value: str) -> tuple[str, str]:
    """Read a setting from the command line, as the CDK CLI does."""
    key, separator, setting = value.partition("=")
    if not (key and separator):
        raise argparse.ArgumentTypeError(f"{value!r} is no KEY=VALUE, such as allowHttp=true")
    return key, setting


def sentence(summary: str) -> str:
    """Return the summary of a command as a sentence."""
    return f"{summary[0].upper()}{summary[1:]}."
