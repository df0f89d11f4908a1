"""What builds, tasks and functions see of this machine's files."""

import subprocess
from pathlib import Path

import pytest

from local_aws.server.isolation import start_sandbox


def test_nothing_that_searches_upwards_finds_the_checkout_around_the_state_folder(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    work = checkout / ".local_aws/run/work"
    source = work / "codebuild/builds/1/src"
    source.mkdir(parents=True)
    subprocess.run(["/usr/bin/env", "git", "init", "--quiet", str(checkout)], check=True)  # noqa: S603 - git
    (checkout / "pytest.ini").write_text("[pytest]\n")
    sandbox = start_sandbox(work.parent, work, None)
    if sandbox.problem:
        pytest.skip(f"no sandbox here: {sandbox.problem}")
    words = f"git rev-parse --show-toplevel; ls -A {checkout}; touch made"
    command = sandbox.command(["sh", "-c", words], source)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - git and ls
    sandbox.close()
    assert "not a git repository" in done.stderr
    assert done.stdout == ".local_aws\n"
    assert (source / "made").exists()
