"""Running a module of local_aws in a new interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.host.modules import module_command


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own module
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_module_runs_in_any_folder_with_its_arguments(tmp_path: Path) -> None:
    done = run(module_command("local_aws", "status", "--state", "absent"), tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "local_aws: no local_aws is running with state folder absent\n"


@pytest.mark.parametrize("name", ["local_aws", "json"])
def test_a_module_in_the_working_directory_shadows_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    assert run([sys.executable, "-c", f"import {name}"], tmp_path).stderr == "shadowed\n"
    assert run(module_command("local_aws", "status", "--state", "absent"), tmp_path).stderr == ""
