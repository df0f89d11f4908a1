"""What the command lines have in common: the meaning of exit codes, and one line for a mistake."""

import argparse
from typing import NoReturn

EXIT_CODES = (
    "Exit code 0: done. 1: something is wrong, or what was tried has failed. 2: wrong usage, or it cannot be "
    "done; one line says why."
)


class Parser(argparse.ArgumentParser):
    """Report a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line, and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message}: see {self.prog} --help\n")


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
