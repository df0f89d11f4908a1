"""`python -m harness up | down | demo | check-service | dashboard | iam-usage`."""

import argparse
import sys
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from harness.check_service import check_service
from harness.cloud import HarnessError
from harness.dashboard.process import run_dashboard
from harness.demo import demo
from harness.down import down
from harness.iam_usage import iam_usage
from harness.scenario import ScenarioError
from harness.up import DEFAULT_PORT, up
from operations.__main__ import SUFFIX_HELP, advised, environment_suffix
from operations.command_line import EXIT_CODES, Parser, sentence
from operations.errors import OperationsError

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
MAX_PORT = 65535
PORT_HELP = "the port to listen on; 0 takes a free one (default: %(default)s)"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ScenarioError as error:
        print(f"{options.command}: FAILED: {error}", file=sys.stderr)
        return 1
    except (OperationsError, BotoCoreError, ClientError) as error:
        # Ours says what to do already.
        reason = str(error) if isinstance(error, HarnessError) else advised(error)
        print(f"{options.command}: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = Parser(
        prog="python -m harness",
        description="Drive an environment: deploy it, release commits to it, watch it, destroy it.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(required=True, dest="command")
    _add_up(commands)
    _add_down(commands)
    _add_demo(commands)
    _add_check_service(commands)
    _add_dashboard(commands)
    _add_iam_usage(commands)
    return parser


def _add_up(commands: Commands) -> None:
    command = _command(
        commands,
        "up",
        "deploy an environment on local_aws and keep it running",
        "It starts local_aws unless it runs, serves the dashboard, deploys the environment, and prints what "
        "to try with git and the AWS CLI. After a reboot, it resumes from the saved state. Exit code 1: the "
        "environment runs, but its release failed or has not ended.",
    )
    command.set_defaults(run=lambda options: up(options.port, options.suffix))
    command.add_argument("--port", type=port_number, default=DEFAULT_PORT, help=PORT_HELP)
    command.add_argument(
        "--suffix", type=environment_suffix, default="dev", help=f"{SUFFIX_HELP} (default: %(default)s)"
    )


def _add_down(commands: Commands) -> None:
    command = _command(
        commands,
        "down",
        "destroy every environment that up deployed, and stop local_aws",
        "Exit code 1: an environment could not be destroyed, or local_aws reports background errors.",
    )
    command.set_defaults(run=lambda _options: down())


def _add_demo(commands: Commands) -> None:
    command = _command(
        commands,
        "demo",
        "run the first scenario on local_aws, with a live view in a terminal",
        "It deploys an environment, pushes a commit, shows the release under load, and destroys everything. "
        "Exit code 1: a request failed, or a resource remains.",
    )
    command.set_defaults(run=lambda _options: demo())


def _add_check_service(commands: Commands) -> None:
    command = _command(
        commands,
        "check-service",
        "build and try a service as its pipeline will, without a pipeline",
        "It runs the audit, the scan, the tests and the build of a service on a local_aws of its own, and "
        "asks its image what a release will be asked. Exit code 1: the last lines say all that is missing.",
    )
    command.set_defaults(run=lambda options: check_service(options.name))
    command.add_argument("name", help="a service of the catalogue in cdk.json, or sample-service")


def _add_dashboard(commands: Commands) -> None:
    command = _command(
        commands,
        "dashboard",
        "serve a table of the environments, and a live page of each, on loopback",
        "It reads the account with your credentials, from AWS or AWS_ENDPOINT_URL, and changes nothing. The "
        "environment SUFFIX has a page before it is deployed, too. Press Ctrl-C to stop it.",
    )
    command.set_defaults(run=_dashboard)
    command.add_argument("suffix", nargs="?", type=environment_suffix, help=SUFFIX_HELP)
    command.add_argument("--port", type=port_number, default=4567, help=PORT_HELP)
    command.add_argument(
        "--time-scale",
        type=float,
        default=1.0,
        metavar="SCALE",
        help="let AWS's waits take SCALE of their time; 1 is real time (default: %(default)g)",
    )
    command.add_argument("--until", type=int, metavar="PID", help="stop when this process ends")
    command.add_argument("--socket", type=int, help=argparse.SUPPRESS)


def _add_iam_usage(commands: Commands) -> None:
    command = _command(
        commands,
        "iam-usage",
        "run a release on local_aws and print what each permission was used for",
        "Exit code 1: a permission is neither used nor on the allowlist.",
    )
    command.set_defaults(run=lambda _options: iam_usage())


def _dashboard(options: argparse.Namespace) -> int:
    return run_dashboard(
        options.suffix,
        port=options.port,
        time_scale=options.time_scale,
        until=options.until,
        inherited_socket=options.socket,
    )


def _command(commands: Commands, name: str, summary: str, details: str) -> argparse.ArgumentParser:
    description = f"{sentence(summary)} {details}"
    return commands.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)


def port_number(value: str) -> int:
    """Parse a port from the command line."""
    if not value.isdecimal() or int(value) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port: 0 to {MAX_PORT}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
