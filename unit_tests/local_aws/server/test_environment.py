"""The environment of the server's process: the AWS SDK of Lambda's Node.js runtime."""

import os
import subprocess
from pathlib import Path

import pytest

from local_aws.core.errors import LocalAwsError
from local_aws.server import environment

REQUIRE = "console.log(require('@aws-sdk/client-s3').name)"


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what `configure` sets."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


def node(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        ["node", "-e", script],  # noqa: S607 - the one that functions run with
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_function_without_an_sdk_gets_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    environment.configure(1, "i", None)
    failed = node(REQUIRE, tmp_path)
    assert failed.returncode == 1
    assert "local_aws has no @aws-sdk/client-s3: install it with npm, and start" in failed.stderr
    assert "Cannot find module 'absent'" in node("require('absent')", tmp_path).stderr


def test_a_function_that_needs_no_sdk_runs_without_one(tmp_path: Path) -> None:
    environment.configure(1, "i", None)
    assert node("console.log(require('path').sep)", tmp_path).stdout == "/\n"


def test_a_function_gets_the_sdk_of_the_given_folder(tmp_path: Path) -> None:
    package = tmp_path / "modules" / "@aws-sdk" / "client-s3"
    package.mkdir(parents=True)
    (package / "index.js").write_text("exports.name = 'sdk'")
    environment.configure(1, "i", tmp_path / "modules")
    assert node(REQUIRE, tmp_path).stdout == "sdk\n"


def test_a_folder_without_an_sdk_is_rejected_and_changes_nothing(tmp_path: Path) -> None:
    before = dict(os.environ)
    with pytest.raises(LocalAwsError, match=r"has no AWS SDK: run `npm ci`"):
        environment.configure(1, "i", tmp_path)
    assert dict(os.environ) == before
