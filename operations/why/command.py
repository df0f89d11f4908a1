"""The options of `operations why`, and what it prints."""

import argparse
from dataclasses import asdict

from operations import why
from operations.account import Account
from operations.clock import clock
from operations.command_line import add_json, print_json

SUMMARY = "explain which gate stopped the newest release, why, and what to do"
DETAILS = (
    "It reads the newest execution of the pipeline, the build or deployment that failed, their logs and "
    "the events of ECS. A release that succeeded, runs or waits for an approval is exit code 0."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    command.add_argument(
        "--execution", default="", metavar="ID", help="explain this execution of the pipeline instead"
    )
    add_json(command)


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return 1 if a release has failed."""
    with clock(f"reading the release of {options.suffix} and its logs"):
        explanation = why.explain(options.suffix, account, options.execution)
    if options.json:
        print_json(asdict(explanation))
    else:
        print("\n".join(explanation.lines))
    return 1 if explanation.has_failed else 0
