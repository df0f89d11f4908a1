"""Buildspecs that a project carries itself, with the platform's files: no commit changes them."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
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
export PLATFORM="$(mktemp --directory)" &&
  base64 --decode <<'END_OF_THE_ARCHIVE' | tar --extract --gzip --directory "$PLATFORM"
{archive}
END_OF_THE_ARCHIVE
"""
_LINE = 160


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
    encoded = base64.b64encode(_archive(files)).decode()
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    command = _WRITE.format(archive="\n".join(lines))
    block = "".join(f"        {line}\n" if line else "\n" for line in command.rstrip("\n").split("\n"))
    # What stands before the version are comments, and would hide it.
    return "version:" + text.replace(MARKER, f"      - |\n{block}").partition("version:")[2]


def _archive(files: Mapping[str, Path]) -> bytes:
    """Return an archive of the files, without times and owners: the same files make the same template.

    As they are, they are longer than CodeBuild accepts (pitfall F14).
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, path in files.items():
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=0)
