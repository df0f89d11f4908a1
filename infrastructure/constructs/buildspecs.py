"""Buildspecs that a project carries itself, with the platform's files: no commit changes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import aws_codebuild as codebuild

from infrastructure.errors import AppError

PROJECT = Path(__file__).resolve().parent.parent.parent
# The command of a buildspec in whose place its project writes the platform's files.
MARKER = "      - write-platform-files\n"
# Undocumented: https://github.com/aws/aws-cdk/pull/14974
LONGEST = 25_600
_WRITE = """# Write the platform's files
export PLATFORM="$(mktemp --directory)"
"""
_FILE = """cat > "$PLATFORM/{name}" <<'END_OF_THE_FILE'
{text}
END_OF_THE_FILE
"""


def inline(name: str, files: Mapping[str, Path]) -> codebuild.BuildSpec:
    """Return the buildspec `name` of this project, with a command that writes `files` to `$PLATFORM`.

    Raises AppError for one that is longer than CodeBuild accepts.
    """
    text = inline_text((PROJECT / name).read_text("utf-8"), files)
    if len(text) > LONGEST:
        raise AppError(f"{name} has {len(text)} characters with its files: CodeBuild accepts {LONGEST}")
    # CodeBuild takes a text of several lines for the buildspec itself, not for the name of a file.
    return codebuild.BuildSpec.from_source_filename(text)


def inline_text(text: str, files: Mapping[str, Path]) -> str:
    """Replace the marker in the text of a buildspec."""
    if text.count(MARKER) != 1:
        raise AppError("a buildspec must have the command `write-platform-files` once")
    command = _WRITE + "".join(
        _FILE.format(name=name, text=path.read_text("utf-8").rstrip("\n")) for name, path in files.items()
    )
    block = "".join(f"        {line}\n" if line else "\n" for line in command.rstrip("\n").split("\n"))
    # What stands before the version are comments, and would hide it.
    return "version:" + text.replace(MARKER, f"      - |\n{block}").partition("version:")[2]
