"""`make soak`: hours of releases under load on one local_aws, and what it uses meanwhile."""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.environments import each, new_scenario
from benchmarks.figures import Figure, publish
from benchmarks.resources import FLAT, Watch, growing, slope
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.prober import Prober
from harness.report.recorder import FOLDER, STAMP
from harness.scenario import Scenario, ScenarioError
from harness.signals import termination_as_keyboard_interrupt
from operations.command_line import EXIT_CODES, Parser, sentence

HOURS = 2.0
SERVICES = 3
# Requests a second to all services together.
RATE = 100.0
SAMPLE_SECONDS = 15.0


@dataclass
class Soaked:
    """One service: its scenario, its load, and the seconds that each of its releases took."""

    scenario: Scenario
    prober: Prober
    seconds: list[float] = field(default_factory=list)


def add_soak(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command."""
    summary = "measure what local_aws uses during hours of releases under load"
    description = f"{sentence(summary)} It fails if a request does, or if memory, files or sockets grow."
    command = commands.add_parser("soak", help=summary, description=description, epilog=EXIT_CODES)
    command.add_argument(
        "--hours", type=float, default=HOURS, metavar="N", help="how long (default: %(default)g)"
    )
    command.add_argument(
        "--services", type=int, default=SERVICES, metavar="N", help="how many (default: %(default)s)"
    )
    command.add_argument(
        "--rate",
        type=float,
        default=RATE,
        metavar="N",
        help="requests a second to all of them together (default: %(default)g)",
    )
    command.set_defaults(run=soak)


def soak(options: argparse.Namespace) -> int:
    """Run it; return 1 if a request failed, or if something grew that should be flat."""
    remove_finished_runs("soak", is_running_in)
    folder = run_folder("soak")
    report = FOLDER / f"{time.strftime(STAMP)}-soak"
    with termination_as_keyboard_interrupt(), local_aws(folder) as server:
        scenarios = [new_scenario(local_cloud(server, folder)) for _ in range(options.services)]
        try:
            for scenario in scenarios:
                print(f"deploying {scenario.environment.suffix}", flush=True)
                scenario.deploy()
                scenario.wait_for_seed()
            watch = Watch(server.pid, server.state, SAMPLE_SECONDS)
            with watch.running():
                soaked = _release_all(scenarios, options, watch)
        finally:
            for scenario in scenarios:
                scenario.clean_up()
    return _report(soaked, watch, report)


def _release_all(scenarios: list[Scenario], options: argparse.Namespace, watch: Watch) -> list[Soaked]:
    ends, stop = time.monotonic() + 3600 * options.hours, threading.Event()

    def is_over() -> bool:
        return stop.is_set() or time.monotonic() >= ends

    with ExitStack() as stack:
        rate = options.rate / len(scenarios)
        soaked = [Soaked(one, stack.enter_context(one.probing(rate))) for one in scenarios]
        each(soaked, lambda one: _release_until(one, is_over, watch), len(soaked), stop.set)
    return soaked


def _release_until(one: Soaked, is_over: Callable[[], bool], watch: Watch) -> None:
    """Release one service again and again."""
    developer, suffix = one.scenario.developer(), one.scenario.environment.suffix
    while not is_over():
        commit = developer.greet(f"Hello for the {len(one.seconds) + 1}. time")
        began = time.monotonic()
        one.scenario.push(developer, commit)
        one.scenario.settle(one.prober, commit)
        one.seconds.append(time.monotonic() - began)
        used = watch.samples[-1]
        print(
            f"{suffix}: release {len(one.seconds)} in {one.seconds[-1]:.0f} s, "
            f"{len(one.prober.failures)} of {len(one.prober.answers)} requests failed; "
            f"{used.memory:.0f} MiB, {used.files} files, {used.sockets} sockets, {used.threads} threads, "
            f"state {used.state:.0f} MiB",
            flush=True,
        )


def _report(soaked: list[Soaked], watch: Watch, folder: Path) -> int:
    publish(_figures(soaked, watch), folder / "soak.json")
    samples = folder / "samples.json"
    samples.write_text(json.dumps([asdict(one) for one in watch.samples], indent=1) + "\n")
    print(f"the samples as JSON: {samples}")
    found = growing(watch.samples)
    if failed := sum(len(one.prober.failures) for one in soaked):
        found.insert(0, f"{failed} requests failed")
    if found:
        raise ScenarioError("; ".join(found))
    return 0


def _figures(soaked: list[Soaked], watch: Watch) -> Iterator[Figure]:
    seconds = [each for one in soaked for each in one.seconds]
    first, last = watch.samples[0], watch.samples[-1]
    yield Figure("length", last.seconds / 60, "min")
    yield Figure("releases", len(seconds), "releases")
    yield Figure("a release, from the push to its end, median", statistics.median(seconds), "s")
    yield Figure("requests", sum(len(one.prober.answers) for one in soaked), "requests")
    yield Figure("failed requests", sum(len(one.prober.failures) for one in soaked), "requests")
    for name in FLAT:
        unit = "MiB" if name == "memory" else name
        yield Figure(f"{name} at the beginning", getattr(first, name), unit)
        yield Figure(f"{name} at the end", getattr(last, name), unit)
        yield Figure(f"growth of {name}", slope(watch.samples, name), f"{unit}/h")
    for name in ("state", "log"):
        grown = getattr(last, name) - getattr(first, name)
        yield Figure(f"growth of the {name}", grown / max(len(seconds), 1), "MiB a release")
