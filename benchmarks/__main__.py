"""`python -m benchmarks`: run each benchmark once, print the figures, and write them as JSON.

`soak` and `scale` take hours, so each is a command of its own.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from benchmarks import load_balancer, service
from benchmarks.figures import Figure, Run, comparison_table, machine, remarks, table
from benchmarks.load import wrk
from benchmarks.release import release
from benchmarks.scale import add_scale
from benchmarks.soak import add_soak
from benchmarks.templates import growth, synthesis
from benchmarks.waits import waits
from harness.report.recorder import FOLDER, STAMP
from harness.scenario import ScenarioError
from operations.command_line import EXIT_CODES, Parser
from operations.errors import OperationsError


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ScenarioError as error:
        print(f"bench: FAILED: {error}", file=sys.stderr)
        return 1
    except (OperationsError, BotoCoreError, ClientError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = Parser(
        prog="python -m benchmarks",
        description="Measure times, throughput and memory, print the figures, and write them as JSON.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="compare with the JSON of an earlier run, by ratio"
    )
    parser.set_defaults(run=_benchmarks)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    add_soak(commands)
    add_scale(commands)
    return parser


def _benchmarks(options: argparse.Namespace) -> int:
    # Before the minutes of measuring: the file may be wrong.
    old = Run.read(options.against) if options.against else None
    new = Run(machine(), tuple(_figures()))
    path = FOLDER / f"{time.strftime(STAMP)}-bench" / "bench.json"
    new.write(path)
    console = Console()
    console.print(table(new) if old is None else comparison_table(new, old))
    for line in [] if old is None else remarks(new, old):
        print(line)
    print(f"the figures as JSON: {path}")
    return 0


def _figures() -> Iterator[Figure]:
    began = time.monotonic()
    yield from synthesis()
    yield from growth()
    if wrk() is None:
        left_out = f"{service.NAME}, {load_balancer.NAME}"
        print(f"wrk is not installed: install the package wrk. Left out: {left_out}", file=sys.stderr)
    else:
        yield from service.throughput()
        yield from load_balancer.throughput()
    yield from release()
    yield from waits()
    yield Figure("all of this", time.monotonic() - began, "s")


if __name__ == "__main__":
    sys.exit(main())
