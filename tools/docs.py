"""Every generated page: `python -m tools docs --write | --check`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from infrastructure.errors import AppError
from tools import cost, names_page, settings_table
from tools.diagram.mermaid import drawings
from tools.iam_docs.page import PolicyViolationsError, iam_page
from tools.sections import COMMAND, measured_sections, replace_section
from tools.synthesis import PROJECT, defaults, environment_contexts, every_option, synthesized


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
    """Run local_aws, which no tool may import, and keep what `make fidelity` measured."""
    command = [sys.executable, "-m", "local_aws", "api-coverage"]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode:
        raise AppError(f"python -m local_aws api-coverage failed: {done.stderr.strip()}")
    return "\n".join([done.stdout, *measured_sections(current)])


PAGES = (
    Page("docs/architecture.md", _architecture),
    Page("docs/configuration.md", _configuration),
    Page("docs/cost.md", _cost),
    Page("docs/iam.md", _iam),
    Page("docs/local-aws.md", _local_aws),
    Page("docs/names.md", _names),
)
