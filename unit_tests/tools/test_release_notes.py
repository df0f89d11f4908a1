"""Which tag may become a release, and what its release says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.release_notes import PROJECT, ReleaseError, main, release_notes

CHANGELOG = """# Changelog

## Unreleased

### Added
- Something newer.

## 1.2.3 - 2026-11-27

### Added
- Something.

## [1.2.2] - 2026-10-01

### Fixed
- Something older.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_the_notes_are_the_section_of_the_version_and_nothing_else(project: Path) -> None:
    assert release_notes("v1.2.3", project) == "### Added\n- Something."


def test_the_last_section_ends_with_the_file(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nversion = "1.2.2"\n')
    assert release_notes("v1.2.2", project) == "### Fixed\n- Something older."


@pytest.mark.parametrize("tag", ["v1.2.2", "1.2.3", "v1.2.3-rc1", "v", ""])
def test_a_tag_that_is_not_the_version_is_refused(project: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match=r"is not v1\.2\.3, the version in pyproject\.toml"):
        release_notes(tag, project)


@pytest.mark.parametrize("heading", ["## 1x2.3 - 2026-11-27", "## 1.2.3", "### 1.2.3 - 2026-11-27", ""])
def test_a_version_without_a_dated_section_is_refused(project: Path, heading: str) -> None:
    (project / "CHANGELOG.md").write_text(CHANGELOG.replace("## 1.2.3 - 2026-11-27", heading))
    with pytest.raises(ReleaseError, match=r"no section '## 1\.2\.3 - YYYY-MM-DD'"):
        release_notes("v1.2.3", project)


def test_an_empty_section_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text(CHANGELOG.replace("### Added\n- Something.\n", "", 1))
    with pytest.raises(ReleaseError, match="is empty"):
        release_notes("v1.2.3", project)


def test_what_disagrees_is_said_in_one_line_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v0.0.0-none"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("release_notes: tag v0.0.0-none is not v")
    assert said.err.count("\n") == 1


def test_it_needs_the_standard_library_only() -> None:
    """The job that may write installs nothing; -S leaves site-packages out."""
    command = [sys.executable, "-S", "-m", "tools.release_notes", "v0.0.0-none"]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)  # noqa: S603 - our own module
    assert done.returncode == 2
    assert done.stderr.startswith("release_notes: tag v0.0.0-none is not v")


def test_the_changelog_begins_with_what_is_unreleased_or_with_this_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    heading = re.findall(r"^## (.*)$", (PROJECT / "CHANGELOG.md").read_text("utf-8"), re.M)[0]
    assert heading == "Unreleased" or heading.strip("[").startswith(version)
