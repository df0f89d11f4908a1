"""The figures of a run: how they are printed, written, and compared with those of another run."""

import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.cloud import HarnessError


@dataclass(frozen=True)
class Figure:
    """One measured value. `name` and `unit` together identify it in another run."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Run:
    """The figures of one run, and the machine that it ran on."""

    machine: dict[str, str]
    figures: tuple[Figure, ...]

    def write(self, path: Path) -> None:
        """Write the run as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Read what `write` wrote. Raises `HarnessError` for any other file."""
        try:
            found = json.loads(path.read_text())
            return cls(dict(found["machine"]), tuple(Figure(**one) for one in found["figures"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HarnessError(f"{path} is not the JSON of a run of make bench: {error!r}") from error


@dataclass(frozen=True)
class Comparison:
    """One figure in two runs."""

    new: Figure
    old: Figure

    @property
    def ratio(self) -> float:
        """How many times the old value the new one is: 1 for two zeros."""
        if self.old.value:
            return self.new.value / self.old.value
        return float("inf") if self.new.value else 1.0


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def compare(new: Run, old: Run) -> list[Comparison]:
    """Return the figures that are in both runs, in the order of the new one."""
    before = _by_identity(old)
    return [Comparison(one, before[key]) for key, one in _by_identity(new).items() if key in before]


def only_in(one: Run, other: Run) -> list[str]:
    """Return the names of the figures that `other` lacks."""
    known = _by_identity(other)
    return [figure.name for key, figure in _by_identity(one).items() if key not in known]


def table(run: Run) -> Table:
    """Return the figures of one run, with its machine as the title."""
    made = _table(run, "value", "unit")
    for one in run.figures:
        made.add_row(one.name, _shown(one.value), one.unit)
    return made


def publish(figures: Iterable[Figure], path: Path) -> None:
    """Print figures as a table, once they are written as JSON."""
    run = Run(machine(), tuple(figures))
    run.write(path)
    Console().print(table(run))
    print(f"the figures as JSON: {path}")


def comparison_table(new: Run, old: Run) -> Table:
    """Return the figures that are in both runs, with their ratios."""
    made = _table(new, "old", "new", "ratio", "unit")
    for one in compare(new, old):
        made.add_row(
            one.new.name, _shown(one.old.value), _shown(one.new.value), f"{one.ratio:.2f}", one.new.unit
        )
    return made


def remarks(new: Run, old: Run) -> Iterator[str]:
    """Say what the table of a comparison cannot: the figures of one run only, and another machine."""
    for names, which in ((only_in(new, old), "new"), (only_in(old, new), "old")):
        if names:
            yield f"only in the {which} run: {', '.join(names)}"
    if new.machine != old.machine:
        yield f"the old run was on another machine: {_described(old.machine)}"


def _by_identity(run: Run) -> dict[tuple[str, str], Figure]:
    return {(one.name, one.unit): one for one in run.figures}


def _table(run: Run, *columns: str) -> Table:
    made = Table("figure", title=_described(run.machine), title_justify="left")
    for column in columns:
        made.add_column(column, justify="left" if column == "unit" else "right")
    return made


def _described(about: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in about.items())


def _shown(value: float) -> str:
    """Format a value with three digits, and larger ones without a fraction."""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def spread(values: Sequence[float], middle: float) -> float:
    """Return how far apart the values are, in percent of `middle`."""
    return 100 * (max(values) - min(values)) / middle
