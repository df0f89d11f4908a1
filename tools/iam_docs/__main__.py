"""Write docs/iam.md from the templates, or check that it is current and that every policy keeps the rules.

`python -m tools.iam_docs --write | --check`: exit code 1 for anything that does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.assembly import PROJECT, defaults, every_option, synthesize
from tools.iam_docs.page import page
from tools.iam_docs.policies import Policy, read_policies
from tools.iam_docs.references import Templates
from tools.iam_docs.rules import complaints, unused_citations

PAGE = PROJECT / "docs" / "iam.md"


def _read(context: Mapping[str, object]) -> tuple[list[Policy], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        synthesize(context, Path(folder))
        templates = Templates(Path(folder))
    policies = read_policies(templates)
    return policies, complaints(templates, policies)


def main() -> int:
    """Do what the one argument asks."""
    parser = argparse.ArgumentParser(prog="python -m tools.iam_docs", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(PROJECT)}")
    what.add_argument("--check", action="store_true", help="say what does not hold, and change nothing")
    asked = parser.parse_args()

    by_default, problems = _read(defaults())
    policies, more = _read(every_option())
    problems = sorted({*problems, *more, *unused_citations([*by_default, *policies])})
    text = page(policies, by_default)
    if asked.write:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != text:
        problems.append(f"{PAGE.relative_to(PROJECT)} is not current: {parser.prog} --write")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        statements = sum(len(policy.statements) for policy in policies)
        print(f"permissions: {len(policies)} policies, {statements} statements, all as docs/iam.md says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
