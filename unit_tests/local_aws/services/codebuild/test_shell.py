"""A build's shell, with real processes."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from local_aws.services.codebuild.shell import Shell, build_processes, kill_build

TAG = "CODEBUILD_BUILD_ID=project:unit-test"


class Session:
    """A shell and its output. It is interrupted after `limit` seconds, or once it has printed `awaited`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.output = b""
        self.limit = 30.0
        self.awaited: bytes | None = None
        self.started = time.monotonic()
        (folder / "work").mkdir()
        (folder / "src").mkdir()
        self.folder = folder
        variables = {"PATH": "/usr/bin:/bin", "CODEBUILD_BUILD_ID": "project:unit-test"}
        self.shell = Shell(name, folder / "work", folder / "src", variables, self.append, self.interrupted)

    def append(self, chunk: bytes) -> None:
        self.output += chunk

    def interrupted(self) -> bool:
        printed = self.awaited is not None and self.awaited in self.output
        return printed or time.monotonic() - self.started > self.limit

    def run(self, command: str) -> int | None:
        self.output = b""
        return self.shell.run(command)

    def remaining(self) -> list[int]:
        return list(build_processes(TAG, self.shell.sessions, self.folder))


@pytest.fixture(params=["sh", "bash"])
def session(tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return Session(tmp_path, request.param)


def test_exports_and_the_current_folder_persist_between_commands(session: Session) -> None:
    assert session.run("mkdir sub && cd sub && export A='two\nlines' B=\"it's\"; C=not-exported") == 0
    assert session.run('printf "%s|%s|%s|" "$A" "$B" "$C"; pwd') == 0
    assert session.output.decode() == f"two\nlines|it's||{session.folder / 'src' / 'sub'}\n"


def test_exit_and_set_e_end_only_their_own_command(session: Session) -> None:
    assert session.run("export A=1; exit 3") == 3
    assert session.run("set -e; export B=2; false; export B=3") == 1
    assert session.run('echo "$A$B"') == 0
    assert session.output == b"12\n"


def test_a_block_has_the_exit_status_of_its_last_command(session: Session) -> None:
    assert session.run("false\ntrue") == 0
    assert session.run("true\nfalse") == 1
    assert session.run("nosuchcommand") == 127


def test_a_trap_set_by_a_command_runs_and_its_exports_persist(session: Session) -> None:
    assert session.run("trap 'echo bye' EXIT; export A=1; true") == 0
    assert session.output == b"bye\n"
    session.run('echo "$A"')
    assert session.output == b"1\n"


def test_no_variable_of_this_process_is_inherited(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    session.run("env")
    assert b"SECRET_OF_THE_HOST" not in session.output
    assert b"CODEBUILD_BUILD_ID" in session.output


def test_a_command_does_not_wait_for_its_background_processes(session: Session) -> None:
    assert session.run("sleep 300 & echo started") == 0
    assert session.output == b"started\n"
    assert time.monotonic() - session.started < 10
    assert session.remaining()
    kill_build(TAG, session.shell.sessions, session.folder)
    assert session.remaining() == []


def test_an_interrupted_command_is_killed_though_it_ignores_signals(session: Session) -> None:
    session.awaited = b"on\n"
    assert session.run("trap '' TERM INT HUP; echo on; sleep 300; sleep 300") is None
    assert session.output == b"on\n"
    kill_build(TAG, session.shell.sessions, session.folder)
    assert session.remaining() == []


@pytest.mark.parametrize("escape", ["setsid sleep 300", "env -i setsid sleep 300", "cd /; setsid sleep 300"])
def test_a_daemon_that_leaves_its_session_is_killed(session: Session, escape: str) -> None:
    session.run(f"({escape}) > /dev/null 2>&1 &")
    deadline = time.monotonic() + 5
    while not session.remaining() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert session.remaining()
    kill_build(TAG, set(), session.folder)
    assert session.remaining() == []


def test_a_process_of_another_build_is_not_killed(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "30"], env={"PATH": os.environ["PATH"], "CODEBUILD_BUILD_ID": "other"})  # noqa: S607
    try:
        kill_build(TAG, set(), tmp_path)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
