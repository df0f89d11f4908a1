"""How long synthesis takes, and how it grows with the number of services."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from harness.cloud import HarnessError
from harness.folders import run_folder
from operations.cdk_cli import CDK
from tools.new_service import copy_service
from tools.synthesis import PROJECT, defaults, synthesized

EMPTY_APP = Path(__file__).with_name("empty_app.py")
SYNTHS = 3
COUNTS = (1, 10, 50)
# The median of the first ones is the reference: a single one may be slow by chance.
FIRST = 5


def synthesis() -> Iterator[Figure]:
    """Compare `cdk synth` of the app and of an empty one."""
    commands = {
        "ours": ["-c", "environmentSuffix=bench"],
        "empty": ["--app", f"{sys.executable} {EMPTY_APP}"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        # In turns, so that other load of the machine affects both.
        for _ in range(SYNTHS):
            for name, arguments in commands.items():
                seconds[name].append(_synth(Path(folder, name), arguments))
    ours, empty = (statistics.median(seconds[name]) for name in commands)
    yield Figure("cdk synth", ours, "s")
    yield Figure("cdk synth of an empty app", empty, "s")
    yield Figure("cdk synth compared with an empty app", ours / empty, "times")


def _synth(output: Path, arguments: list[str]) -> float:
    command = [str(CDK), "synth", "--quiet", "--no-notices", "--output", str(output), *arguments]
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)  # noqa: S603 - our own CDK CLI
    if done.returncode:
        raise HarnessError(f"cdk synth failed: {done.stderr.strip()}")
    return time.monotonic() - began


def growth() -> Iterator[Figure]:
    """Synthesize many services one after the other in one process."""
    with tempfile.TemporaryDirectory(dir=run_folder("bench")) as written:
        place = Path(written) / "service"
        copy_service(PROJECT, place, package="service")
        services = catalogue(max(COUNTS), str(place.relative_to(PROJECT)))
        # The first synthesis of a process loads the CDK, which is not counted.
        synthesized(defaults())
        seconds, sizes = zip(*(_synthesized(services, name) for name in services), strict=True)
    for count in COUNTS:
        name = f"synthesis of {count} services"
        yield Figure(name, sum(seconds[:count]), "s")
        yield Figure(f"{name} compared with linear", linearity(seconds, count), "times")
        yield Figure(f"{name}: templates", sum(sizes[:count]) / 1024, "KiB")
        yield Figure(f"{name}: templates compared with linear", linearity(sizes, count), "times")


def catalogue(count: int, folder: str) -> dict[str, dict[str, str]]:
    """Return a catalogue of services that differ only in their names."""
    return {f"s{number}": {"folder": folder} for number in range(count)}


def linearity(each: Sequence[float], count: int) -> float:
    """Return the ratio of the first `count` to as many times the first ones: 1 is linear, more is worse."""
    return sum(each[:count]) / (count * statistics.median(each[:FIRST]))


def size(services: dict[str, Any], name: str) -> int:
    """Return the bytes of the templates of one service of a catalogue."""
    return synthesized({**defaults(), "services": services, "environmentSuffix": f"{name}-dev"}).size


def _synthesized(services: dict[str, Any], name: str) -> tuple[float, int]:
    began = time.monotonic()
    found = size(services, name)
    return time.monotonic() - began, found
