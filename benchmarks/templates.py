"""How synthesis grows with services: seconds, and the size of the templates."""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.folders import run_folder
from tools.assembly import PROJECT, defaults, synthesize
from tools.new_service import copy_service

COUNTS = (1, 10, 50)
# One synthesis alone may meet a busy moment of the machine, and all others would be compared with it.
FIRST = 5


def growth() -> Iterator[tuple[str, str]]:
    """Synthesize so many services one after the other, as `cdk deploy` does, in one process."""
    with tempfile.TemporaryDirectory(dir=run_folder("bench")) as written:
        place = Path(written) / "service"
        copy_service(PROJECT, place, package="service")
        services = catalogue(max(COUNTS), str(place.relative_to(PROJECT)))
        # The first synthesis of a process loads the CDK: that is not a service's.
        with tempfile.TemporaryDirectory() as folder:
            synthesize(defaults(), Path(folder))
        seconds, sizes = zip(*(_synthesized(services, name) for name in services), strict=True)
    for count in COUNTS:
        yield (
            f"synthesis of {count} services",
            f"{sum(seconds[:count]):.1f} s, {linearity(seconds, count):.2f} of linear; "
            f"{sum(sizes[:count]) / 1024:.0f} KiB of templates, {linearity(sizes, count):.2f} of linear",
        )


def catalogue(count: int, folder: str) -> dict[str, dict[str, str]]:
    """Return so many services, which differ in their names alone."""
    return {f"s{number}": {"folder": folder} for number in range(count)}


def linearity(each: Sequence[float], count: int) -> float:
    """Say how the first `count` compare with as many of what one is at first: 1 is linear, above is worse."""
    return sum(each[:count]) / (count * statistics.median(each[:FIRST]))


def size(services: dict[str, Any], name: str) -> int:
    """Return the bytes of the templates of one service of a catalogue."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize({**defaults(), "services": services, "environmentSuffix": f"{name}-dev"}, Path(folder))
        return sum(path.stat().st_size for path in Path(folder).glob("*.template.json"))


def _synthesized(services: dict[str, Any], name: str) -> tuple[float, int]:
    began = time.monotonic()
    found = size(services, name)
    return time.monotonic() - began, found
