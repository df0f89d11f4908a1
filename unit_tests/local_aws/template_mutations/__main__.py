"""Deploys every mutation; prints the table, and writes it into docs/local-aws.md (`make fidelity`)."""

from __future__ import annotations

import datetime
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.template_mutations.explanations import EXPLAINED
from unit_tests.local_aws.template_mutations.suite import (
    accepted_by_validation,
    cases,
    refusals,
    unexplained,
)

PAGE = Path("docs/local-aws.md")
BEGIN, END = "<!-- mutations: measured by make fidelity -->\n", "<!-- mutations: end -->\n"
EXPLANATION = """
## Templates that are wrong

Each property of each resource type in the templates of this project is changed: a value of a wrong type, out
of its enumeration, pattern or range, a property that is missing or unknown, a reference to nothing, the id of
a resource that does not exist, a malformed policy. CloudFormation refuses it before the deployment, or the
service refuses the resource. The oracles are the schemas that cfn-lint ships, and what AWS's pages and users
report. The explanations are in `unit_tests/local_aws/template_mutations/explanations.py`.
"""


def main() -> int:
    """Return 1 if a mutation is accepted without an explanation, or refused with one."""
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder))
        try:
            found = refusals(Cloud(server), accepted_by_validation())
        finally:
            server.stop()
    lines = table(found)
    print("\n".join(lines))
    write(lines)
    errors = [f"accepted, and not explained: {name}" for name in unexplained(found)]
    errors += [f"explained, and refused: {name}" for name in EXPLAINED if found[name] is not None]
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if errors else 0


def table(found: Mapping[str, str | None]) -> list[str]:
    """Return the table, a row for each kind of mutation."""
    kinds = Counter(_kind(case.mutation.kind) for case in cases())
    deployed: dict[str, list[str]] = {kind: [] for kind in kinds}
    for case in accepted_by_validation():
        deployed[_kind(case.mutation.kind)].append(case.name)
    rows = [_row(kind, count, deployed[kind], found) for kind, count in sorted(kinds.items())]
    total = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    return [
        "| mutation | number | refused before the deployment | by the service | explained | accepted |",
        "|---|---|---|---|---|---|",
        *[f"| {' | '.join(map(str, row))} |" for row in rows],
        f"| all | {' | '.join(map(str, total))} |",
    ]


def _kind(kind: str) -> str:
    return kind.partition(":")[0]


def _row(
    kind: str, count: int, deployed: list[str], found: Mapping[str, str | None]
) -> tuple[str, int, int, int, int, int]:
    accepted = [name for name in deployed if found[name] is None]
    known = sum(name in EXPLAINED for name in accepted)
    refused = len(deployed) - len(accepted)
    return kind, count, count - len(deployed), refused, known, len(accepted) - known


def write(lines: list[str]) -> None:
    """Replace the section of the page, or add it."""
    text = "\n".join([f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}:", "", *lines, ""])
    section = f"{BEGIN}{EXPLANATION}\n{text}\n{END}"
    page = PAGE.read_text("utf-8")
    found = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    replaced = found.sub(lambda _: section, page) if found.search(page) else f"{page}\n{section}"
    PAGE.write_text(replaced, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
