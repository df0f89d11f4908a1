"""`local-aws up | down | status | api-coverage`: AWS on this machine."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from local_aws.command_line import EXIT_CODES, Parser
from local_aws.core.clock import DEFAULT_TIME_SCALE, Clock
from local_aws.core.errors import LocalAwsError
from local_aws.daemon import LOG_FILE, ServerHandle, find, start
from local_aws.host import environment
from local_aws.host.modules import module_command

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
DEFAULT_STATE = Path(".local_aws/server")
# The default port of MiniStack and LocalStack, which their tools expect.
DEFAULT_PORT = 4566
MAX_PORT = 65535
NODE_MODULES_VARIABLE = "LOCAL_AWS_NODE_MODULES"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    if options.command == "up" and arguments is None:
        environment.drop_the_rest(module_command("local_aws", *sys.argv[1:]))
    try:
        return int(options.run(options))
    except (LocalAwsError, OSError, ValueError) as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("local_aws: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    parser = Parser(
        prog="local-aws",
        description="Run AWS on this machine: start it, stop it, find it.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = _command(commands, "up", "run a server until Ctrl-C", _up)
    _add_server_options(up)
    down = _command(commands, "down", "stop the server", _down, "Exit code 1: it had background errors.")
    status = _command(
        commands, "status", "print the server's address", _status, "Exit code 1: none is running."
    )
    for command in (up, down, status):
        command.add_argument(
            "--state", type=Path, default=DEFAULT_STATE, help="the state folder (default: %(default)s)"
        )
    summary = "print a Markdown page of the operations that it implements"
    _command(commands, "api-coverage", summary, _api_coverage)
    return parser


def _command(
    commands: Commands,
    name: str,
    summary: str,
    run: Callable[[argparse.Namespace], int],
    details: str = "",
) -> argparse.ArgumentParser:
    description = f"{summary[0].upper()}{summary[1:]}. {details}".strip()
    command = commands.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)
    command.set_defaults(run=run)
    return command


def _add_server_options(up: argparse.ArgumentParser) -> None:
    up.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="the port to listen on; 0 takes a free one (default: %(default)s)",
    )
    up.add_argument(
        "--time-scale",
        # The option's name in earlier versions.
        "--clock",
        type=_time_scale,
        metavar="SCALE",
        help="let AWS's waits take SCALE of their time; 1 is real time "
        f"(default: that of the saved state, or {DEFAULT_TIME_SCALE})",
    )
    up.add_argument(
        "--containers",
        metavar="ENGINE",
        help="auto, processes, docker or podman (default: LOCAL_AWS_CONTAINERS, or auto: one that works)",
    )
    up.add_argument(
        "--node-modules",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get(NODE_MODULES_VARIABLE),
        help=f"the AWS SDK for Lambda's Node.js functions (default: {NODE_MODULES_VARIABLE}, or none)",
    )
    up.add_argument("--detach", action="store_true", help="return when it responds, and keep it running")
    up.add_argument("--with-parent", action="store_true", help="stop when standard input closes")


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{value!r} is not a port: 0 to {MAX_PORT}")
    return int(value)


def _time_scale(value: str) -> float:
    try:
        return Clock(float(value)).time_scale
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _up(options: argparse.Namespace) -> int:
    state = options.state.resolve()
    node_modules = options.node_modules and Path(options.node_modules).resolve()
    if options.containers:
        os.environ["LOCAL_AWS_CONTAINERS"] = options.containers
    if options.detach:
        server = start(
            state,
            port=options.port,
            time_scale=options.time_scale,
            node_modules=node_modules,
            with_parent=False,
            detach=True,
        )
        _print_server(server)
        return 0
    # It imports MiniStack, which `down` and `status` do not need.
    from local_aws.server.process import serve

    serve(
        state,
        options.port,
        options.time_scale,
        node_modules=node_modules,
        with_parent=options.with_parent,
        ready=_print_server,
    )
    return 0


def _down(options: argparse.Namespace) -> int:
    server = find(options.state.resolve())
    if server is None:
        print(f"local_aws: no local_aws is running with state folder {options.state}")
        return 0
    errors = server.stop()
    _print_errors(errors)
    print(f"local_aws: stopped {server.endpoint}")
    return 1 if errors else 0


def _status(options: argparse.Namespace) -> int:
    server = find(options.state.resolve())
    if server is None:
        print(f"local_aws: no local_aws is running with state folder {options.state}")
        return 1
    _print_server(server)
    _print_errors(server.background_errors())
    return 0


def _api_coverage(_: argparse.Namespace) -> int:
    # It imports every service, which the other commands do not need.
    from local_aws.server import api_coverage

    print(api_coverage.page(), end="")
    return 0


def _print_server(server: ServerHandle) -> None:
    print(
        f"local_aws: {server.endpoint} (AWS's waits take {server.time_scale:g} of their time; "
        f"containers: {server.containers}; {server.isolation}; credentials: {server.credentials_file}; "
        f"log in {server.state / LOG_FILE})",
        flush=True,
    )


def _print_errors(errors: list[str]) -> None:
    for error in errors:
        print(f"local_aws: background error: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
