"""Every generated page: `python -m tools docs --write | --check`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infrastructure.errors import AppError
from tools import cost, names_page, settings_table
from tools.diagram.mermaid import drawings
from tools.iam_docs.page import PolicyViolationsError, iam_page
from tools.sections import COMMAND, measured_sections, replace_section
from tools.synthesis import PROJECT, defaults, environment_contexts, every_option, synthesized

# Counts the error codes that local_aws answers, by the calls that a unit test makes.
WRONG_CALLS = "unit_tests.local_aws.fidelity"
COUNTED = re.compile(r"Counted on (\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Page:
    """One page; `render` returns it as it must be, from what it is (empty for a missing one)."""

    path: str
    render: Callable[[str], str]


def write(pages: Iterable[Page], project: Path = PROJECT) -> int:
    """Write the pages; return 1 if the policies violate a rule, so that their page is not written."""
    problems: list[str] = []
    for page in pages:
        try:
            text = page.render(_read(project / page.path))
        except PolicyViolationsError as error:
            problems += error.violations
        else:
            (project / page.path).write_text(text, "utf-8")
    return _report(problems)


def check(pages: Iterable[Page], project: Path = PROJECT) -> int:
    """Return 1 if a page is not current, or if the policies violate a rule."""
    problems: list[str] = []
    for page in pages:
        current = _read(project / page.path)
        try:
            if page.render(current) != current:
                problems.append(f"{page.path} is not current: run {COMMAND}")
        except PolicyViolationsError as error:
            problems += error.violations
    return _report(problems)


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _report(problems: Iterable[str]) -> int:
    lines = sorted(set(problems))
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    return 1 if lines else 0


def _iam(_: str) -> str:
    return iam_page(synthesized(every_option()), synthesized(defaults()))


def _cost(_: str) -> str:
    return cost.page({name: synthesized(context) for name, context in environment_contexts().items()})


def _architecture(current: str) -> str:
    return replace_section(current, "diagrams", f"\n{drawings(synthesized(defaults()))}")


def _configuration(current: str) -> str:
    return replace_section(
        current, "settings", "".join(f"{line}\n" for line in settings_table.lines(defaults()))
    )


def _names(_: str) -> str:
    return names_page.page(synthesized(every_option()))


def _local_aws(current: str) -> str:
    """Return the coverage, the table of the wrong calls, and what `make fidelity` measured of templates.

    The date of the table is that of its last change.
    """
    counted = COUNTED.search(current)
    table = _output(WRONG_CALLS, counted[1]) if counted else ""
    if not table or table not in current:
        table = _output(WRONG_CALLS, datetime.now(UTC).date().isoformat())
    return "\n".join([_output("local_aws", "api-coverage") + table, *measured_sections(current)])


def _output(module: str, *arguments: str) -> str:
    """Run a module of another room, which no tool may import."""
    words = ["-m", module, *arguments]
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *words], cwd=PROJECT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise AppError(f"python {' '.join(words)} failed: {done.stderr.strip()}")
    return done.stdout


PAGES = (
    Page("docs/architecture.md", _architecture),
    Page("docs/configuration.md", _configuration),
    Page("docs/cost.md", _cost),
    Page("docs/iam.md", _iam),
    Page("docs/local-aws.md", _local_aws),
    Page("docs/names.md", _names),
)
