"""A project carries its buildspec with the platform's files, exactly as they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from infrastructure.constructs.buildspecs import inline, inline_text
from infrastructure.errors import AppError

SPEC = """# What it is.
version: 0.2
phases:
  install:
    commands:
      - write-platform-files
      - 'cat "$PLATFORM/a.txt"'
"""
# What a shell, YAML or CloudFormation could take for its own.
TEXT = "$HOME ${NAME} $(date) `date` \\ 'a' \"b\"\n\n  indented: [x]\n# no comment\n%{z}\t<IMAGE1_NAME>"


def test_a_file_arrives_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    text = inline_text(SPEC, {"a.txt": tmp_path / "a.txt"})
    assert text.startswith("version: 0.2\n"), "CodeBuild must see a buildspec, not the name of a file"
    commands = yaml.safe_load(text)["phases"]["install"]["commands"]
    done = subprocess.run(  # noqa: S603 - what a build would run
        ["/bin/bash", "-c", "\n".join(commands)], capture_output=True, text=True, check=True
    )
    assert done.stdout == TEXT


@pytest.mark.parametrize("spec", ["version: 0.2\n", SPEC + "      - write-platform-files\n"])
def test_a_buildspec_says_once_where_the_files_are_written(spec: str) -> None:
    with pytest.raises(AppError, match="write-platform-files"):
        inline_text(spec, {})


def test_a_buildspec_that_codebuild_would_refuse_is_not_synthesized(tmp_path: Path) -> None:
    """Pitfall F14."""
    (tmp_path / "long.txt").write_bytes(os.urandom(25_600))
    with pytest.raises(AppError, match=r"buildspec\.yml has \d+ characters with its files"):
        inline("buildspec.yml", {"long.txt": tmp_path / "long.txt"})
