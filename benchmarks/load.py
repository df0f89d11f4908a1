"""Load from wrk, on a processor of its own, and the comparison of two servers under it."""

import json
import os
import resource
import shutil
import statistics
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, spread
from harness.cloud import HarnessError

# wrk calls its function at the end: https://github.com/wg/wrk/blob/master/SCRIPTING
SUMMARY = Path(__file__).with_name("summary.lua")
CLOSE = "Connection: close"
ROUNDS = 5


@dataclass(frozen=True)
class Load:
    """Requests per second, the 99th percentile in milliseconds, and how much of its processor wrk used."""

    rate: float
    p99: float
    busy: float


def wrk() -> str | None:
    """Return the path of wrk, or None if it is not installed."""
    return shutil.which("wrk")


def processors() -> tuple[set[int], set[int]]:
    """Return the processors of the servers and the one of wrk: the same if this machine has only one."""
    *servers, generator = sorted(os.sched_getaffinity(0))
    return set(servers) or {generator}, {generator}


@contextmanager
def running_on(which: Collection[int]) -> Iterator[None]:
    """Run this process, and the processes that it starts meanwhile, on some processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, which)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def send(url: str, *, connections: int, seconds: int, headers: Collection[str] = ()) -> Load:
    """Send requests to `url` as fast as they are answered. Raises `HarnessError` if one fails."""
    command = [
        wrk() or "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds}s",
    ]
    command += ["--timeout", "30s", "--script", str(SUMMARY)]
    command += [word for header in headers for word in ("--header", header)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with running_on(processors()[1]):
        done = subprocess.run([*command, url], check=False, capture_output=True, text=True)  # noqa: S603 - wrk
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise HarnessError(f"wrk failed: {done.stdout.strip()} {done.stderr.strip()}")
    found = json.loads(done.stderr)
    if found["failed"]:
        raise HarnessError(f"{found['failed']} of {found['requests']} requests to {url} failed")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(found["requests"] / found["seconds"], found["p99"] / 1000, 100 * used / found["seconds"])


def in_turns(*measures: Callable[[], Load]) -> list[list[Load]]:
    """Measure one after the other, several times, so that other load of the machine affects all of them."""
    rounds = [[measure() for measure in measures] for _ in range(ROUNDS)]
    return [list(loads) for loads in zip(*rounds, strict=True)]


def absolute(name: str, loads: list[Load]) -> Iterator[Figure]:
    """Yield the medians of the rounds, and how far apart these are."""
    rates = [one.rate for one in loads]
    rate = statistics.median(rates)
    yield Figure(f"{name}: requests", rate, "1/s")
    yield Figure(f"{name}: spread of the requests", spread(rates, rate), "%")
    yield Figure(f"{name}: p99", statistics.median(one.p99 for one in loads), "ms")
    yield Figure(f"{name}: wrk used of its processor", max(one.busy for one in loads), "%")


def relative(name: str, loads: list[Load], reference: list[Load]) -> Iterator[Figure]:
    """Yield the median of the rounds' ratios, and the lowest and highest one."""
    rates = [one.rate / other.rate for one, other in zip(loads, reference, strict=True)]
    yield Figure(f"{name}: requests", statistics.median(rates), "times")
    yield Figure(f"{name}: requests in the worst round", min(rates), "times")
    yield Figure(f"{name}: requests in the best round", max(rates), "times")
    p99 = statistics.median(one.p99 / other.p99 for one, other in zip(loads, reference, strict=True))
    yield Figure(f"{name}: p99", p99, "times")
