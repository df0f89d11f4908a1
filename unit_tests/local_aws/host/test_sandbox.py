"""The sandbox of builds, tasks and functions, and the variables that a server keeps."""

import subprocess
from pathlib import Path

import pytest

from local_aws.host import environment
from local_aws.host.sandbox import Sandbox
from local_aws.server.isolation import describe


def listed(sandbox: Sandbox, folder: Path) -> str:
    command = sandbox.command(["ls", "-AR", str(folder)], Path("/"))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ls


def test_a_hidden_folder_has_only_what_is_visible_in_it_also_by_links(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("secret", "real/inside", "state/private", "state/work"):
        (home / name).mkdir(parents=True)
    (home / "link").symlink_to(home / "real")
    sandbox = Sandbox([home, home / "state"], [home / "link", home / "absent"], [home / "state/work"])
    if sandbox.problem:
        pytest.skip(f"no sandbox here: {sandbox.problem}")
    shown = listed(sandbox, home)
    assert "secret" not in shown
    assert "private" not in shown
    assert f"{home}/link:\ninside\n" in shown
    assert f"{home}/real:\ninside\n" in shown
    write = "touch ../state/work/made; touch inside/made || touch ../made"
    done = subprocess.run(sandbox.command(["sh", "-c", write], home / "link"), check=False)  # noqa: S603 - ours
    assert done.returncode == 1
    assert (home / "state/work/made").exists()
    assert not (home / "real/inside/made").exists()
    sandbox.close()


def test_a_machine_without_the_programs_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox = Sandbox([tmp_path], [], [])
    assert sandbox.command(["true"], tmp_path) == ["true"]
    assert describe(sandbox).startswith(
        "NOT ISOLATED: builds, tasks and functions can read your files (there is no unshare, mount, "
    )


def test_a_machine_that_forbids_namespaces_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert Sandbox([tmp_path], [], []).problem == "unshare failed: Operation not permitted"


def test_a_server_keeps_no_credentials_of_its_caller() -> None:
    needed = ("PATH", "HOME", "LC_ALL", "LOCAL_AWS_CONTAINERS", "PIP_INDEX_URL", "DOCKER_HOST")
    others = ("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "LD_PRELOAD")
    assert set(environment.kept(dict.fromkeys((*needed, *others), "x"))) == set(needed)
