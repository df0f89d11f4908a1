"""`python -m harness up | down | demo | check-service | dashboard | iam-usage`."""

import argparse
import sys
from typing import TypeAlias

from botocore.exceptions import BotoCoreError

from harness.check_service import check_service
from harness.dashboard.process import run_dashboard
from harness.demo import demo
from harness.down import down
from harness.iam_usage import iam_usage
from harness.scenario import ScenarioError
from harness.up import DEFAULT_PORT, up
from operations.__main__ import environment_suffix
from operations.errors import OperationsError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
EXIT_CODES = "Exit code 2: something is missing or misconfigured; one line says what to do."
MAX_PORT = 65535


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 if it found a failure, or 2 after one line that says what to do."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ScenarioError as error:
        print(f"{options.command}: FAILED: {error}", file=sys.stderr)
        return 1
    except (OperationsError, BotoCoreError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = argparse.ArgumentParser(
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
        "Starts local_aws unless it runs, serves the dashboard, deploys the environment, and prints what to "
        "try with git and the AWS CLI. After a reboot, it resumes from the saved state. Exit code 1: the "
        "environment runs, but its release failed.",
    )
    command.set_defaults(run=lambda options: up(options.port, options.suffix))
    command.add_argument(
        "--port", type=port_number, default=DEFAULT_PORT, help="local_aws's port (default: %(default)s)"
    )
    command.add_argument(
        "--suffix", type=environment_suffix, default="dev", help="the environmentSuffix (default: dev)"
    )


def _add_down(commands: Commands) -> None:
    command = _command(
        commands,
        "down",
        "destroy every environment that `up` deployed, and stop local_aws",
        "Exit code 1: an environment could not be destroyed, or local_aws reports background errors.",
    )
    command.set_defaults(run=lambda _options: down())


def _add_demo(commands: Commands) -> None:
    command = _command(
        commands,
        "demo",
        "run the first scenario on local_aws, with a live view in a terminal",
        "Deploys an environment, pushes a commit, shows the release under load, and destroys everything. "
        "Exit code 1: a request failed, or a resource remains.",
    )
    command.set_defaults(run=lambda _options: demo())


def _add_check_service(commands: Commands) -> None:
    command = _command(
        commands,
        "check-service",
        "build and try a service as its pipeline will, without a pipeline",
        "Runs the audit, the scan, the tests and the build of a service on a local_aws of its own, and asks "
        "its image what a release will be asked. Exit code 1: the last line says what is missing.",
    )
    command.set_defaults(run=lambda options: check_service(options.name))
    command.add_argument("name", help="a service of the catalogue in cdk.json, or sample-service")


def _add_dashboard(commands: Commands) -> None:
    command = _command(
        commands,
        "dashboard",
        "serve a live page of an environment on loopback",
        "Reads the environment with your credentials, from AWS or AWS_ENDPOINT_URL, and changes nothing. "
        "Press Ctrl-C to stop it.",
    )
    command.set_defaults(run=_dashboard)
    command.add_argument("suffix", type=environment_suffix, help="the environmentSuffix, for example dev")
    command.add_argument("--port", type=port_number, default=4567, help="the page's port (default: 4567)")
    command.add_argument(
        "--time-scale", type=float, default=1.0, help="the length of AWS's waits there (default: 1)"
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
    description = f"{summary[0].upper()}{summary[1:]}. {details}"
    return commands.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)


def port_number(value: str) -> int:
    """Parse a port from the command line."""
    if not value.isdecimal() or int(value) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port: 0 to {MAX_PORT}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
