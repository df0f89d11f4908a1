"""The options of `operations rollback`, and what it prints."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from operations import rollback
from operations.account import Account
from operations.command_line import Output, add_dry_run, add_json, print_json
from operations.names import Names
from operations.rollback.versions import Version, find

SUMMARY = "return to a version that was live, without a build"
DETAILS = (
    "Run it after a bad release. While the tasks of the version before still stand, traffic returns to them "
    "within seconds. Later, the pipeline releases the earlier image again, through the hook and the alarms. "
    "The command ends when that version has all traffic. Exit code 1: the rollback has failed."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    command.add_argument(
        "--to",
        default="",
        metavar="VERSION",
        help="the commit or the execution (default: the version before)",
    )
    command.add_argument(
        "--promotion",
        default="",
        metavar="ENVIRONMENT",
        help="roll back this environment, to which the pipeline promotes",
    )
    command.add_argument("--list", action="store_true", help="only print the versions that were live")
    add_json(command)
    add_dry_run(command)


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return 1 if the rollback has failed."""
    suffix, promotion = options.suffix, options.promotion
    if options.list:
        found = find(account, Names(suffix), rollback.stage_of(promotion))
        if options.json:
            print_json([asdict(one) for one in found])
        else:
            # A commit's subject may look like markup.
            print_versions(found, Console(markup=False))
        return 0
    output = Output(options)
    has_succeeded = rollback.go_back(
        suffix, account, output.log, to=options.to, promotion=promotion, dry_run=options.dry_run
    )
    output.end(suffix=suffix, promotion=promotion, dry_run=options.dry_run, has_succeeded=has_succeeded)
    return 0 if has_succeeded else 1


def print_versions(found: Sequence[Version], console: Console) -> None:
    """Print the versions, the newest first."""
    table = Table("Commit", "Subject", "Released", "Can be released again")
    for one in found:
        state = "live" if one.is_live else f"no: {one.obstacle}" if one.obstacle else "yes"
        table.add_row(one.commit[:7], one.subject, f"{one.released:%Y-%m-%d %H:%M}", state)
    console.print(table)
