"""The command of a buildspec that audits the dependencies: nothing of the commit is part of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infrastructure.constructs.dependency_audit.command import ADVISORIES, EXCEPTIONS, audit_command
from local_aws.host.interpreters import find_python
from unit_tests.infrastructure.synthesized import PROJECT

REQUIREMENTS = PROJECT / "sample_service" / "requirements.txt"


@pytest.fixture
def commit(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS.read_text("utf-8"))
    return tmp_path


def run(commit: Path) -> tuple[int, str]:
    """Run the command as CodeBuild does, with the Python of the services."""
    environment = {"PATH": f"{Path(find_python('3.9')).parent}:{os.environ['PATH']}", "TMPDIR": str(commit)}
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/bash", "-c", audit_command("requirements.txt")],
        cwd=commit,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_audits_on_the_python_of_the_services(commit: Path) -> None:
    status, said = run(commit)
    assert (status, said.count("findings stop the build")) == (0, 1), said
    with (commit / "requirements.txt").open("a") as file:
        file.write("werkzeug==2.2.2\n")
    status, said = run(commit)
    assert status == 1
    assert "finding: werkzeug 2.2.2: PYSEC-2023-57" in said


@pytest.mark.parametrize("name", ["json.py", "argparse.py", "re.py"])
def test_a_module_of_the_commit_is_not_imported_in_place_of_pythons(commit: Path, name: str) -> None:
    (commit / name).write_text("import sys; print('0 findings stop the build'); sys.exit(0)")
    assert "11 packages" in run(commit)[1]


@pytest.mark.parametrize("path", [ADVISORIES, EXCEPTIONS], ids=lambda path: path.name)
def test_a_file_of_the_commit_with_the_name_of_the_platforms_is_not_read(commit: Path, path: Path) -> None:
    (commit / path.name).write_text("{")
    assert run(commit)[0] == 0


def test_the_command_begins_with_its_name_and_fits_into_a_buildspec() -> None:
    """An error of CodeBuild quotes the whole command."""
    command = audit_command("requirements.txt")
    assert command.startswith("# Audit the dependencies\n")
    assert len(command) < 64 << 10
