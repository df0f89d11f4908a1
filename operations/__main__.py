"""`python -m operations leftovers | destroy SUFFIX`."""

import argparse
import re
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from operations import leftovers
from operations.account import Account
from operations.destroy import destroy
from operations.errors import OperationsError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 when something is left, or 2 with one line that says what to do."""
    options = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operations",
        description="What people run around cdk. AWS_ENDPOINT_URL leads to local_aws.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    look = commands.add_parser(
        "leftovers", help="list what the account still holds of an environment; exit code 1 if anything"
    )
    look.set_defaults(run=_leftovers)
    down = commands.add_parser(
        "destroy", help="stop what runs, cdk destroy, and delete what CloudFormation cannot"
    )
    down.set_defaults(run=_destroy)
    down.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    for command in (look, down):
        command.add_argument("suffix", type=_suffix, help="the environmentSuffix, as dev")
    return parser


def _suffix(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or len(value) > 12:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no environmentSuffix: that is 1 to 12 lower-case letters, digits and hyphens"
        )
    return value


def _leftovers(options: argparse.Namespace, account: Account) -> int:
    found = leftovers.find(options.suffix, account)
    leftovers.tell(found, Console())
    return 1 if found.remaining else 0


def _destroy(options: argparse.Namespace, account: Account) -> int:
    where = f"account {account.id}, {account.region}"
    print(f"{options.suffix} in {where}: its repository, images, logs and artifacts are deleted for good")
    destroy(options.suffix, account, print, dry_run=options.dry_run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
