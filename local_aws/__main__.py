"""`python -m local_aws up | down | status`: AWS on this machine."""

import argparse
import os
import sys
from pathlib import Path

from local_aws.core.clock import DEFAULT_TIME_SCALE
from local_aws.daemon import LOG_FILE, LocalAwsError, ServerHandle, find, start

DEFAULT_STATE = Path(".local_aws")
# MiniStack's and LocalStack's port: tools of the trade look there first.
DEFAULT_PORT = 4566


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code (2: a person can set it right, the line says how)."""
    options = _parser().parse_args(arguments)
    try:
        return int({"up": _up, "down": _down, "status": _status}[options.command](options))
    except (LocalAwsError, ValueError) as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="AWS on this machine")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="serve until Ctrl-C")
    up.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default %(default)s)")
    up.add_argument(
        "--clock", type=float, metavar="FACTOR", help=f"1 is real time (default {DEFAULT_TIME_SCALE})"
    )
    up.add_argument(
        "--containers",
        metavar="ENGINE",
        help="auto, processes, docker or podman (default: LOCAL_AWS_CONTAINERS, or auto: what works)",
    )
    up.add_argument("--detach", action="store_true", help="return once it answers, and keep it running")
    up.add_argument("--with-parent", action="store_true", help="stop when standard input ends")
    down = commands.add_parser("down", help="stop it; exit code 1 when anything went wrong meanwhile")
    status = commands.add_parser("status", help="say where it is; exit code 1 when it does not run")
    for command in (up, down, status):
        command.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder (default %(default)s)")
    return parser


def _up(options: argparse.Namespace) -> int:
    state = options.state.resolve()
    if options.containers:
        os.environ["LOCAL_AWS_CONTAINERS"] = options.containers
    if options.detach:
        _tell(start(state, port=options.port, time_scale=options.clock, with_parent=False, detach=True))
        return 0
    # It brings MiniStack in, which `down` and `status` can do without.
    from local_aws.server.process import serve

    serve(state, options.port, options.clock, with_parent=options.with_parent, ready=_tell)
    return 0


def _down(options: argparse.Namespace) -> int:
    running = find(options.state.resolve())
    if running is None:
        print(f"local_aws: none runs with {options.state}")
        return 0
    faults = running.stop()
    for fault in faults:
        print(f"local_aws: fault: {fault}", file=sys.stderr)
    print(f"local_aws: stopped {running.endpoint}")
    return 1 if faults else 0


def _status(options: argparse.Namespace) -> int:
    running = find(options.state.resolve())
    if running is None:
        print(f"local_aws: none runs with {options.state}")
        return 1
    _tell(running)
    for fault in running.faults():
        print(f"local_aws: fault: {fault}", file=sys.stderr)
    return 0


def _tell(running: ServerHandle) -> None:
    print(
        f"local_aws: {running.endpoint} (AWS's waits pass at {running.clock:g} of their length; "
        f"containers: {running.containers}; log in {running.state / LOG_FILE})",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
