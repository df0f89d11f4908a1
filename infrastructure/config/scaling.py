"""`scaling` of the catalogue: between which numbers of tasks a service scales, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infrastructure.config.context_key import number

WORDS = (
    "an object with min and max, numbers of tasks from 1 to 100, and one of cpuPercent (10 to 90) and "
    "requestsPerTarget (a task's requests in a minute)"
)
EXAMPLE = {"min": 2, "max": 6, "requestsPerTarget": 600}
_TASKS = number(1, 100)
_TARGETS = {"cpuPercent": number(10, 90), "requestsPerTarget": number(1, 1_000_000)}


@dataclass(frozen=True)
class Scaling:
    """The limits, and the target value of exactly one metric."""

    min_tasks: int
    max_tasks: int
    cpu_percent: int | None = None
    requests_per_target: int | None = None


def read_scaling(value: object) -> Scaling:
    """Read an entry's value. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError
    targets = {key: read(value[key]) for key, read in _TARGETS.items() if key in value}
    if len(targets) != 1 or value.keys() != {"min", "max", *targets}:
        raise ValueError
    smallest, largest = _TASKS(value["min"]), _TASKS(value["max"])
    if smallest > largest:
        raise ValueError
    return Scaling(smallest, largest, targets.get("cpuPercent"), targets.get("requestsPerTarget"))
