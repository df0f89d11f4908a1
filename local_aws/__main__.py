"""`local-aws up | down | status | api-coverage`: AWS on this machine."""

import argparse
import os
import sys
from pathlib import Path

from local_aws.core.clock import DEFAULT_TIME_SCALE
from local_aws.core.errors import LocalAwsError
from local_aws.daemon import LOG_FILE, ServerHandle, find, start
from local_aws.host import environment
from local_aws.host.modules import module_command

DEFAULT_STATE = Path(".local_aws/server")
# The default port of MiniStack and LocalStack, which their tools expect.
DEFAULT_PORT = 4566
NODE_MODULES_VARIABLE = "LOCAL_AWS_NODE_MODULES"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; 2 means that the message says what to do."""
    options = _parser().parse_args(arguments)
    if options.command == "up" and arguments is None:
        environment.drop_the_rest(module_command("local_aws", *sys.argv[1:]))
    commands = {"up": _up, "down": _down, "status": _status, "api-coverage": _api_coverage}
    try:
        return commands[options.command](options)
    except (LocalAwsError, ValueError) as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local-aws", description="AWS on this machine")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run a server until Ctrl-C")
    _add_server_options(up)
    down = commands.add_parser("down", help="stop the server; exit code 1 if it had background errors")
    status = commands.add_parser("status", help="print the server's address; exit code 1 if none is running")
    for command in (up, down, status):
        command.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder (default %(default)s)")
    commands.add_parser("api-coverage", help="print a Markdown page of the operations that it implements")
    return parser


def _add_server_options(up: argparse.ArgumentParser) -> None:
    up.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default %(default)s)")
    up.add_argument(
        "--time-scale",
        # The option's name in earlier versions.
        "--clock",
        type=float,
        metavar="SCALE",
        help=f"AWS's waits take SCALE of their time; 1 is real time (default {DEFAULT_TIME_SCALE})",
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
