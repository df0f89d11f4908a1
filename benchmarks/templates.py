"""How synthesis grows with the number of services: seconds, and the size of the templates."""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.folders import run_folder
from tools.new_service import copy_service
from tools.synthesis import PROJECT, defaults, synthesized

COUNTS = (1, 10, 50)
# The median of the first ones is the reference: a single one may be slow by chance.
FIRST = 5


def growth() -> Iterator[tuple[str, str]]:
    """Synthesize many services one after the other in one process."""
    with tempfile.TemporaryDirectory(dir=run_folder("bench")) as written:
        place = Path(written) / "service"
        copy_service(PROJECT, place, package="service")
        services = catalogue(max(COUNTS), str(place.relative_to(PROJECT)))
        # The first synthesis of a process loads the CDK, which is not counted.
        synthesized(defaults())
        seconds, sizes = zip(*(_synthesized(services, name) for name in services), strict=True)
    for count in COUNTS:
        yield (
            f"synthesis of {count} services",
            f"{sum(seconds[:count]):.1f} s, {linearity(seconds, count):.2f} of linear; "
            f"{sum(sizes[:count]) / 1024:.0f} KiB of templates, {linearity(sizes, count):.2f} of linear",
        )


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
