"""The options of `operations status`, and what it prints."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations import status
from operations.account import Account
from operations.clock import clock
from operations.command_line import add_json, print_json
from operations.status import Environment

SUMMARY = "show what each environment runs, and what is wrong with it"
DETAILS = (
    "Without a suffix, it shows every environment of the account; with one, also why a release failed, the "
    "drift of its listeners, and DORA's four keys of 30 days. A failed release, an alarm, drift and an "
    "unfinished stack are wrong."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_json(command)


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return 1 if an environment has a finding."""
    with clock(f"reading {options.suffix or 'every environment'}"):
        found = [status.one(account, options.suffix)] if options.suffix else status.fleet(account)
    if options.json:
        print_json([asdict(each) for each in found])
    elif found:
        # A commit's subject may look like markup.
        print_environments(found, Console(markup=False))
    else:
        print(f"account {account.id} has no environment in {account.region}")
    return int(any(each.has_finding for each in found))


def print_environments(found: Sequence[Environment], console: Console) -> None:
    """Print a row for each environment, and below why a release failed."""
    table = Table("Environment", "Service", "Live", "Since", "By", "Newest release", "Findings")
    for each in found:
        live = f"{each.commit[:7]} {each.subject}".strip()
        since = f"{each.since:%Y-%m-%d %H:%M}" if each.since else ""
        release = Text(each.release, style="red" if each.has_failed else "")
        table.add_row(each.suffix, each.service, live, since, each.author, release, findings(each))
    console.print(table)
    for each in found:
        # Not wrapped, so that a command can be copied.
        for line in (*each.explanation, *([f"{each.four_keys}"] if each.four_keys else [])):
            console.print(line, soft_wrap=True)


def findings(environment: Environment) -> str:
    """Return what somebody has to look at, besides the release."""
    parts = [f"{name} in ALARM" for name in environment.alarms]
    parts += [f"{each} has drifted" for each in environment.drift]
    if not environment.is_stable:
        parts.append(f"the stack is {environment.stack_status}")
    return "; ".join(parts)
