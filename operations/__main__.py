"""`python -m operations preflight | frozen | guard | destroy | leftovers SUFFIX`."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from operations import immutable, leftovers, listener_drift, preflight
from operations.account import Account
from operations.destroy import destroy
from operations.errors import OperationsError
from operations.preflight.check import Subject

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
# Of the suffix of a service of the catalogue, as orders-staging.
LONGEST = 22
EXIT_CODES = "Exit code 2: it could not be done, with one line that says why and what to do."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 when it found what it looks for, or 2 with one line on what to do."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options, Account()))
    except (OperationsError, BotoCoreError, ClientError) as error:
        print(f"operations: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "operations: interrupted; CloudFormation goes on with what it began, run it again",
            file=sys.stderr,
        )
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m operations",
        description="What people run around cdk, in the account of your credentials, us-east-1.",
        epilog=f"AWS_ENDPOINT_URL leads to local_aws. {EXIT_CODES}",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_preflight(commands)
    _add_frozen(commands)
    _add_guard(commands)
    _add_destroy(commands)
    _add_leftovers(commands)
    return parser


def _add_preflight(commands: Commands) -> None:
    command = _command(
        commands,
        "preflight",
        "before cdk deploy: ask the account for all that would make it fail half way",
        "Looks at credentials, region, the CDK's bootstrap, ECS's service-linked role, CodeCommit, quotas, "
        "names that are taken, and Docker Hub's password. Changes nothing without --fix. "
        "Exit code 1: something has to be mended first.",
    )
    command.set_defaults(run=_preflight)
    command.add_argument(
        "--github",
        choices=("import", "create"),
        help="also look for GitHub's OIDC provider: the stack is to import it, or to create it",
    )
    command.add_argument(
        "--fix", action="store_true", help="create ECS's service-linked role if it is missing; nothing else"
    )
    command.add_argument("--json", action="store_true", help="print the findings for a program")


def _add_frozen(commands: Commands) -> None:
    command = _command(
        commands,
        "frozen",
        "before a further cdk deploy: would it change what nobody may change any more?",
        "Compares the synthesized service, listeners and target groups with the deployed ones, and names the "
        "way out of each change. Exit code 2: there is one, so do not deploy this.",
    )
    command.set_defaults(run=_frozen)
    command.add_argument(
        "--templates", type=Path, default=Path("cdk.out"), help="what cdk synth wrote (default: cdk.out)"
    )


def _add_guard(commands: Commands) -> None:
    command = _command(
        commands,
        "guard",
        "before and after cdk deploy: does the traffic go to the task set that serves?",
        "Compares the listeners' weights with the PRIMARY task set, which CodeDeploy moved to. "
        "Exit code 1: a listener drifted, and was not repaired.",
    )
    command.set_defaults(run=_guard)
    command.add_argument(
        "--repair", action="store_true", help="send the drifted listeners' traffic to the PRIMARY task set"
    )
    command.add_argument("--dry-run", action="store_true", help="with --repair: say what would be done only")


def _add_destroy(commands: Commands) -> None:
    command = _command(
        commands,
        "destroy",
        "stop what runs, cdk destroy, and delete what CloudFormation cannot",
        "Deletes the repository with its commits, the images, the logs and the artifacts for good. "
        "Run it again after a failure: it begins where it has to.",
    )
    command.set_defaults(run=_destroy)
    command.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_leftovers(commands: Commands) -> None:
    command = _command(
        commands,
        "leftovers",
        "list what the account still holds of an environment",
        "Asks every API, by name and by tag. What AWS keeps for a while by design, as a KMS key that waits "
        "for its deletion, is named and not counted. Exit code 1: something is left.",
    )
    command.set_defaults(run=_leftovers)


def _command(commands: Commands, name: str, what: str, more: str) -> argparse.ArgumentParser:
    said = f"{what[0].upper()}{what[1:]}. {more}".replace("?.", "?")
    command = commands.add_parser(name, help=what, description=said, epilog=EXIT_CODES)
    command.add_argument("suffix", type=environment_suffix, help="the environmentSuffix, as dev")
    return command


def environment_suffix(value: str) -> str:
    """Read a suffix from the command line."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or len(value) > LONGEST:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no environmentSuffix: 1 to {LONGEST} lower-case letters, digits and hyphens"
        )
    return value


def _preflight(options: argparse.Namespace, account: Account) -> int:
    subject = Subject(options.suffix, account, options.github)
    if options.fix and (done := preflight.fix(account)):
        print(done, file=sys.stderr)
    found = preflight.look(subject)
    if options.json:
        print(json.dumps(found.as_data(), indent=2))
    else:
        preflight.tell(found, Console())
    return 1 if found.stops else 0


def _frozen(options: argparse.Namespace, account: Account) -> int:
    changes = immutable.find(options.suffix, account, options.templates)
    for change in changes:
        print(f"operations: {change}", file=sys.stderr)
    return 2 if changes else 0


def _guard(options: argparse.Namespace, account: Account) -> int:
    traffic = listener_drift.look(options.suffix, account)
    listener_drift.tell(traffic, Console())
    if not traffic.drifted:
        return 0
    if not options.repair:
        print(f"python -m operations guard {options.suffix} --repair sends it to the PRIMARY task set")
        return 1
    listener_drift.repair(traffic, account, print, dry_run=options.dry_run)
    if options.dry_run:
        return 1
    traffic = listener_drift.look(options.suffix, account)
    listener_drift.tell(traffic, Console())
    return 1 if traffic.drifted else 0


def _destroy(options: argparse.Namespace, account: Account) -> int:
    where = f"account {account.id}, {account.region}"
    print(f"{options.suffix} in {where}: its repository, images, logs and artifacts are deleted for good")
    destroy(options.suffix, account, print, dry_run=options.dry_run)
    return 0


def _leftovers(options: argparse.Namespace, account: Account) -> int:
    found = leftovers.find(options.suffix, account)
    leftovers.tell(found, Console())
    return 1 if found.remaining else 0


if __name__ == "__main__":
    sys.exit(main())
