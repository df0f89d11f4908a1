"""What a state folder that somebody else prepared, or that is none, can do to the developer's machine."""

import fcntl
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cloud import PROJECT

NOBODY = 65534


class Code:
    """Runs a command when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what unpickling calls."""
        return os.mkdir, (str(self.made),)


def local_aws(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run `local-aws` as from a shell."""
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "local_aws", *words],
        cwd=PROJECT,
        env={**os.environ, "LOCAL_AWS_CONTAINERS": "processes"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rejection(state: Path, command: str = "up") -> str:
    """Run a command with a state folder that is rejected with one line and exit code 2; return the line."""
    options = ("--port", "0", "--detach") if command == "up" else ()
    done = local_aws(command, "--state", str(state), *options)
    if done.returncode == 0:
        local_aws("down", "--state", str(state))
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1
    return done.stderr


def used(state: Path) -> Path:
    """Return a state folder in which a server ran."""
    assert local_aws("up", "--state", str(state), "--port", "0", "--detach").returncode == 0
    assert local_aws("down", "--state", str(state)).returncode == 0
    return state


def test_a_home_folder_as_state_loses_its_tmp(tmp_path: Path) -> None:
    """attack L17: `--state ~` deletes ~/tmp, and would delete ~/work."""
    for name in ("tmp/mine", "work/tmp/mine", "work/codebuild/builds/mine"):
        (tmp_path / name).mkdir(parents=True)
    assert "is not a state folder" in rejection(tmp_path)
    assert (tmp_path / "tmp/mine").exists()
    assert (tmp_path / "work/tmp/mine").exists()
    assert (tmp_path / "work/codebuild/builds/mine").exists()


@pytest.mark.parametrize("nested", [False, True], ids=["the file", "a service's part"])
def test_a_snapshot_runs_code(tmp_path: Path, nested: bool) -> None:
    """attack L18: the snapshot of a state folder is a pickle that runs a command when it is read."""
    state = used(tmp_path / "state")
    snapshot, made = state / "snapshot", tmp_path / "made"
    content: object = Code(made)
    if nested:
        found, port, scale, contents = pickle.loads(snapshot.read_bytes())  # noqa: S301 - what a server wrote
        part = {"stores": pickle.dumps({"ministack.services.s3": {"_buckets": Code(made)}})}
        content = (found, port, scale, {**contents, "ministack": pickle.dumps(part)})
    snapshot.write_bytes(pickle.dumps(content))
    assert f"the snapshot in {state} was written by an incompatible version" in rejection(state)
    assert not made.exists()


def test_a_state_folder_of_another_user_is_used(tmp_path: Path) -> None:
    """attack L19: a folder that another user prepared, or can write to, is the state folder."""
    state = used(tmp_path / "state")
    state.chmod(0o777)
    assert f"run `chmod 700 {state}`" in rejection(state)
    state.chmod(0o700)
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    os.chown(state / "snapshot", NOBODY, NOBODY)
    assert f"{state / 'snapshot'} belongs to nobody, not to you" in rejection(state)
    os.chown(state, NOBODY, NOBODY)
    assert f"{state} belongs to nobody, not to you" in rejection(state)


def test_down_stops_a_process_that_another_user_names(tmp_path: Path) -> None:
    """attack L20: another user's folder lets `down` send SIGTERM to a process of the developer."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    with subprocess.Popen(["sleep", "600"]) as mine, (tmp_path / "lock").open("w") as lock:  # noqa: S607
        lock.write(str(mine.pid))
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        names = {"instance": "i", "time_scale": 1, "containers": "", "isolation": ""}
        record = {"endpoint": "http://127.0.0.1:1", "pid": mine.pid, **names}
        (tmp_path / "endpoint.json").write_text(str(record).replace("'", '"'))
        os.chown(tmp_path, NOBODY, NOBODY)
        assert "belongs to nobody" in rejection(tmp_path, "down")
        assert mine.poll() is None
        mine.kill()
