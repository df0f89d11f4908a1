"""Print the changelog's section for a release, once its tag, the version and the changelog agree.

python -m tools.release_notes TAG    # needs the standard library only: the release job installs nothing
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

from tools.command_line import EXIT_CODES, Parser

PROJECT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """The tag cannot be released; the message says what to change."""


def release_notes(tag: str, project: Path = PROJECT) -> str:
    """Return the section of CHANGELOG.md that `tag` releases; raise `ReleaseError` if something disagrees."""
    version = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise ReleaseError(
            f"tag {tag} is not v{version}, the version in pyproject.toml: change the version or the tag"
        )
    changelog = (project / "CHANGELOG.md").read_text("utf-8")
    # The headings of https://keepachangelog.com/en/1.1.0/, with or without brackets around the version.
    heading = rf"^## \[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d$"
    found = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None:
        raise ReleaseError(
            f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD': give what is Unreleased this heading"
        )
    notes = found[1].strip()
    if not notes:
        raise ReleaseError(f"the section {version} of CHANGELOG.md is empty: say what changes for a user")
    return notes


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = Parser(
        prog="python -m tools.release_notes",
        description="Print the changelog's section for a release.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("tag", help="v and the version in pyproject.toml, such as v1.2.3")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Print the notes; return 2 with one line if the tag cannot be released."""
    tag = parser().parse_args(arguments).tag
    try:
        print(release_notes(tag))
    except ReleaseError as error:
        print(f"release_notes: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
