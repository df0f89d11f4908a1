"""The actions of `operations fleet`, and what they print."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

from operations import fleet
from operations.account import Account
from operations.catalogue import CDK_JSON, read_context
from operations.clock import clock
from operations.command_line import EXIT_CODES, Parser, add_context, add_json, print_json, sentence
from operations.fleet import Prepared, members
from operations.fleet.cdk import Cdk
from operations.fleet.deployment import Outcome, Waves

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
SUMMARY = "show what a change of the platform does to many environments, and deploy it in waves"
DETAILS = (
    "A wave has the environments of its name, of every service: --wave dev,prod deploys dev and orders-dev, "
    "then prod and orders-prod. Environments that are not deployed yet are not created."
)
PLAN_DETAILS = (
    "It synthesizes each environment once, rejects changes of immutable properties, and compares the "
    "templates with the deployed ones. A difference of many environments is printed once, and only the name "
    "of what is neither IAM, a security group, a replacement nor a deletion. It changes nothing. Exit code "
    "1: an environment is refused."
)
DEPLOY_DETAILS = (
    "It plans first, and deploys nothing if an environment is refused. A wave begins after the end of the "
    "one before, with the environment whose network others may share. After a failure, those that have begun "
    "end, and no other begins. Run it again to resume: what is deployed has no differences any more. It "
    "moves no traffic, and checks the listeners before and after. Exit code 1: an environment is refused, or "
    "has failed."
)


def add(commands: Commands) -> None:
    """Add the command with its two actions."""
    given = commands.add_parser(
        "fleet", help=SUMMARY, description=f"{sentence(SUMMARY)} {DETAILS}", epilog=EXIT_CODES
    )
    actions = given.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "plan", "show what a deployment would change", PLAN_DETAILS).set_defaults(run=run_plan)
    _add(actions, "deploy", "deploy what has changed, one wave after another", DEPLOY_DETAILS).set_defaults(
        run=run_deploy
    )


def _add(actions: Commands, name: str, summary: str, details: str) -> argparse.ArgumentParser:
    description = f"{sentence(summary)} {details}"
    action = actions.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)
    action.add_argument(
        "--wave",
        required=True,
        type=waves,
        metavar="NAME[,NAME...]",
        help="the waves in their order, such as dev,staging,prod",
    )
    action.add_argument(
        "--at-once",
        type=positive,
        default=4,
        metavar="NUMBER",
        help="how many environments at a time (default: %(default)s)",
    )
    add_context(action)
    action.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where assemblies and logs are written (default: a new temporary folder)",
    )
    add_json(action)
    return action


def run_plan(options: argparse.Namespace, account: Account) -> int:
    """Print the plan; return 1 if an environment is refused."""
    _, prepared = _prepare(options, account)
    if options.json:
        print_json(plan_data(prepared))
    else:
        print_plan(prepared, Console(markup=False))
        _print_missing(options, prepared)
    return int(any(each.refusals for each in prepared))


def run_deploy(options: argparse.Namespace, account: Account) -> int:
    """Deploy; return 1 if an environment is refused, or has failed."""
    cdk, prepared = _prepare(options, account)
    console = Console(markup=False)
    if not options.json:
        print_plan(prepared, console)
        _print_missing(options, prepared)
    outcomes: list[Outcome] = []
    if not any(each.refusals for each in prepared):
        outcomes = Waves(cdk, account, _log, at_once=options.at_once).deploy(prepared)
    if options.json:
        print_json({**plan_data(prepared), "outcomes": [asdict(each) for each in outcomes]})
    elif outcomes:
        print_outcomes(outcomes, console)
    return int(not outcomes or any(each.state == "failed" for each in outcomes))


def _prepare(options: argparse.Namespace, account: Account) -> tuple[Cdk, list[Prepared]]:
    found = members.find(account, options.wave)
    # The CDK CLI runs in another folder.
    folder = options.output.resolve() if options.output else Path(tempfile.mkdtemp(prefix="fleet-"))
    cdk = Cdk(folder, options.context)
    _log(f"assemblies and logs: {cdk.folder}")
    with clock(f"comparing the environments of {', '.join(options.wave)}"):
        return cdk, fleet.prepare(found, cdk, account, at_once=options.at_once)


def _print_missing(options: argparse.Namespace, prepared: Sequence[Prepared]) -> None:
    found = [each.member for each in prepared]
    if missing := members.not_deployed(found, options.wave, read_context(CDK_JSON)):
        print(f"not deployed in this account: {', '.join(missing)}")


def plan_data(prepared: Sequence[Prepared]) -> dict[str, Any]:
    """Return the plan as plain data."""
    environments = [
        {
            "suffix": each.suffix,
            "service": each.member.service,
            "wave": each.member.wave,
            "state": each.state,
            "refusals": list(each.refusals),
        }
        for each in prepared
    ]
    return {"environments": environments, "differences": [asdict(each) for each in fleet.folded(prepared)]}


def print_plan(prepared: Sequence[Prepared], console: Console) -> None:
    """Print a row for each environment, then each difference once."""
    table = Table("Wave", "Environment", "Service", "State")
    for each in prepared:
        table.add_row(each.member.wave, each.suffix, each.member.service, each.state)
    console.print(table)
    for each in prepared:
        for refusal in each.refusals:
            console.print(f"{each.suffix} refused: {refusal}", soft_wrap=True)
    found = fleet.folded(prepared)
    for (kind, environments), some in groupby(found, key=lambda each: (each.kind, each.environments)):
        console.print(f"\n{kind}, in {_named(environments, len(prepared))}", soft_wrap=True, highlight=False)
        for one in some:
            for line in (f"  {one.text}", *(f"   {line}" for line in one.details)):
                console.print(line, soft_wrap=True, highlight=False)


def _named(environments: Sequence[str], of: int) -> str:
    if len(environments) == 1:
        return environments[0]
    if len(environments) == of:
        return f"all {of} environments"
    return f"{len(environments)} of {of} environments: {', '.join(environments)}"


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print what became of each environment."""
    table = Table("Wave", "Environment", "Outcome", "Seconds")
    for each in outcomes:
        table.add_row(each.wave, each.suffix, each.state, f"{each.seconds:.0f}" if each.seconds else "")
    console.print(table)
    if any(each.state == "failed" for each in outcomes):
        console.print("Mend what has failed, and run it again: what is deployed is left alone.")


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def waves(value: str) -> list[str]:
    """Read the names of waves from the command line."""
    names = [name.strip() for name in value.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{value!r} is no list of different names, such as dev,staging,prod")
    return names


def positive(value: str) -> int:
    """Read a number of environments from the command line."""
    if not value.isdecimal() or not int(value):
        raise argparse.ArgumentTypeError(f"{value!r} is no number of environments: 1 or more")
    return int(value)
