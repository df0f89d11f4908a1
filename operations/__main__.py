"""`python -m operations COMMAND SUFFIX`: the commands to run around cdk."""

import argparse
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from operations import approve, break_glass, runs, secrets_command
from operations.account import Account
from operations.command_line import EXIT_CODES, Parser, add_context, add_dry_run, add_json, sentence
from operations.errors import OperationsError
from operations.fleet import command as fleet_command
from operations.rollback import command as rollback_command
from operations.status import command as status_command
from operations.why import command as why_command

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
SUFFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SUFFIX_HELP = "the environmentSuffix, such as dev"
# Of a suffix with the name of a service, as orders-staging.
LONGEST_SUFFIX = 22
# Former names of commands, which still work.
RENAMED = {"frozen": "immutable", "guard": "drift"}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(given)
    for former in RENAMED.keys() & given[:1]:
        print(f"operations: {former} is now called {RENAMED[former]}", file=sys.stderr)
    try:
        return int(options.run(options, Account()))
    except (OperationsError, BotoCoreError, ClientError) as error:
        print(f"operations: {advised(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "operations: interrupted; CloudFormation continues what it started, run this again",
            file=sys.stderr,
        )
        return 130


def advised(error: Exception) -> str:
    """Return an error in one line, with what to do about credentials or an endpoint."""
    cause = error.__cause__ or error
    if isinstance(cause, NoCredentialsError):
        return "no AWS credentials: set AWS_PROFILE; for local_aws, read the file that make up names (. FILE)"
    if isinstance(cause, EndpointConnectionError):
        return f"{cause}: is local_aws running (make up)? On AWS, unset AWS_ENDPOINT_URL"
    return str(error)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = Parser(
        prog="python -m operations",
        description="Run what belongs around cdk, in the account of your credentials, us-east-1.",
        epilog=f"AWS_ENDPOINT_URL points to local_aws. {EXIT_CODES}",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_preflight(commands)
    _add_immutable(commands)
    _add_drift(commands)
    _add_module(commands, "status", status_command, nargs="?")
    _add_module(commands, "why", why_command)
    _add_module(commands, "rollback", rollback_command)
    secrets_command.add(commands, _command)
    fleet_command.add(commands)
    _add_protect(commands)
    _add_module(commands, "approve", approve)
    _add_module(commands, "break-glass", break_glass)
    _add_destroy(commands)
    _add_leftovers(commands)
    for former, name in RENAMED.items():
        # Without `help`, the name is not listed.
        commands.add_parser(former, parents=[commands.choices[name]], add_help=False)
    return parser


def _add_preflight(commands: Commands) -> None:
    command = _command(
        commands,
        "preflight",
        "check for anything that would fail cdk deploy midway",
        "Run it first. It checks credentials, region, the CDK bootstrap, the service-linked role of ECS, "
        "CodeCommit, quotas, names that are taken, Docker Hub's password, secrets, who is notified, and TLS. "
        "Without --fix, it changes nothing.",
    )
    command.set_defaults(run=runs.run_preflight)
    command.add_argument(
        "--github",
        choices=("import", "create"),
        help="also check GitHub's OIDC provider, which the stack will import or create",
    )
    add_context(command)
    command.add_argument(
        "--fix", action="store_true", help="create the service-linked role of ECS if it is missing"
    )
    add_json(command)


def _add_immutable(commands: Commands) -> None:
    command = _command(
        commands,
        "immutable",
        "reject changes to properties that are immutable after the first deploy",
        "Run it before another cdk deploy. It compares the synthesized service, listeners, target groups and "
        "settings with the deployed ones, and says what to do instead of each change, or of a setting that "
        "would be dropped. An asset that would run a command with the credentials of the deployment is "
        "rejected, too.",
    )
    command.set_defaults(run=runs.run_immutable)
    command.add_argument(
        "--templates",
        type=Path,
        default=Path("cdk.out"),
        help="the folder that cdk synth wrote (default: %(default)s)",
    )
    add_json(command)


def _add_drift(commands: Commands) -> None:
    command = _command(
        commands,
        "drift",
        "check that the listeners point to what CodeDeploy released last",
        "Run it before and after another cdk deploy. It compares the weights of the listeners with the "
        "PRIMARY task set. What --repair corrects is no longer wrong; --dry-run is about --repair.",
    )
    command.set_defaults(run=runs.run_drift)
    command.add_argument(
        "--repair", action="store_true", help="point the drifted listeners to the PRIMARY task set"
    )
    add_dry_run(command)
    add_json(command)
    command.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="wait up to so many minutes for the end of a deployment by CodeDeploy (default: %(default)g)",
    )


def _add_protect(commands: Commands) -> None:
    command = _command(
        commands,
        "protect",
        "require approvals before main takes a change, and print the policy for developers",
        "Run it after cdk deploy. It reads requiredApprovals and promoteTo of the deployed environment. The "
        "policy denies every other change of main, and approving a promotion.",
    )
    command.set_defaults(run=runs.run_protect)
    command.add_argument("--role", metavar="NAME", help="attach the policy to this role instead")
    add_dry_run(command)
    add_json(command)


def _add_module(commands: Commands, name: str, module: ModuleType, *, nargs: str | None = None) -> None:
    """Add a command whose module has its texts, its options and what it runs; `nargs` is of the suffix."""
    command = _command(commands, name, module.SUMMARY, module.DETAILS, nargs=nargs)
    command.set_defaults(run=module.run)
    module.add_options(command)


def _add_destroy(commands: Commands) -> None:
    command = _command(
        commands,
        "destroy",
        "stop what runs, run cdk destroy, and delete what CloudFormation cannot",
        "It permanently deletes the repository with its commits, the images, the logs, the artifacts and the "
        "secrets. Before it destroys prod, or an environment with termination protection, it asks for the "
        "name. After a failure, run it again.",
    )
    command.set_defaults(run=runs.run_destroy)
    command.add_argument(
        "--confirm", metavar="NAME", help="the environmentSuffix again, in place of the question for it"
    )
    add_dry_run(command)
    add_json(command)


def _add_leftovers(commands: Commands) -> None:
    command = _command(
        commands,
        "leftovers",
        "list the resources of an environment that the account still has",
        "It calls every API, and identifies resources by name and by tag. What AWS deletes later by itself, "
        "such as a KMS key that is pending deletion, is listed and is no leftover.",
    )
    command.set_defaults(run=runs.run_leftovers)
    add_json(command)


def _command(
    commands: Commands, name: str, summary: str, details: str, *, nargs: str | None = None
) -> argparse.ArgumentParser:
    description = f"{sentence(summary)} {details}"
    command = commands.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)
    command.add_argument("suffix", nargs=nargs, type=environment_suffix, help=SUFFIX_HELP)
    return command


def environment_suffix(value: str) -> str:
    """Read a suffix from the command line."""
    if not SUFFIX.fullmatch(value) or len(value) > LONGEST_SUFFIX:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no environmentSuffix: 1 to {LONGEST_SUFFIX} lower-case letters, digits and hyphens"
        )
    return value


if __name__ == "__main__":
    sys.exit(main())
