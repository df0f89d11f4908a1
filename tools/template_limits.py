"""Compare the synthesized templates with CloudFormation's limits. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.assembly import Assembly, Template

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LIMITS = {"bytes": 1_000_000, "resources": 500, "parameters": 200, "outputs": 200}
WIDTH = 18


def main(folder: Path) -> int:
    """Print the table; return 1 if a template in `folder` exceeds a limit."""
    templates = list(Assembly.read(folder).templates.values())
    print("\n".join(table(templates)))
    violations = list(exceeded(templates))
    for violation in violations:
        print(f"error: {violation}", file=sys.stderr)
    return 1 if violations else 0


def counts(template: Template) -> dict[str, int]:
    """Count what CloudFormation limits."""
    sections = (limit for limit in LIMITS if limit != "bytes")
    return {"bytes": template.size} | {name: len(template.section(name.capitalize())) for name in sections}


def exceeded(templates: Iterable[Template]) -> Iterator[str]:
    """Yield one line for each limit that a template exceeds."""
    for template in templates:
        for limit, count in counts(template).items():
            if count > LIMITS[limit]:
                yield f"{template.stack} has {count} {limit}; CloudFormation allows {LIMITS[limit]}"


def table(templates: Iterable[Template]) -> Iterator[str]:
    """Yield a line with the limits, and a line for each template."""
    yield _row("template", *(f"{limit} / {most}" for limit, most in LIMITS.items()))
    for template in templates:
        yield _row(template.stack, *map(str, counts(template).values()))


def _row(name: str, *cells: str) -> str:
    return f"{name:<{WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)
