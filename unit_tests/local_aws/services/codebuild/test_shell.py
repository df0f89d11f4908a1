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


def test_variables_and_the_current_folder_persist_between_commands(session: Session) -> None:
    assert session.run("mkdir sub && cd sub && export A='two\nD=1 lines' B=\"it's\"") == 0
    assert session.run("C=$(echo not exported)") == 0
    assert session.run('printf "%s|%s|%s|%s|" "$A" "$B" "$C" "$D"; pwd') == 0
    assert session.output.decode() == f"two\nD=1 lines|it's|not exported||{session.folder / 'src' / 'sub'}\n"


def test_the_end_of_a_command_is_not_polled_for(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """`subprocess` sleeps up to 50 ms between two looks, and an image build has twenty commands."""
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("the end of a command is polled for"))
    assert session.run("/bin/sleep 0.1; exit 3") == 3


def test_functions_options_and_the_separator_do_not_persist(session: Session) -> None:
    assert session.run("IFS=,; A=1,2; greet() { A=hello; }; set -u; umask 077; export -p >/dev/null") == 0
    assert session.run("greet") == 127
    assert session.run('case $- in *u*) echo on;; esac; printf "[%s]" $A "$UNSET"; umask') == 0
    assert session.output.decode() == f"[1,2][]{0o022:04o}\n"


def test_a_shells_own_variables_are_not_exported(session: Session) -> None:
    session.run("A=1")
    assert not {"IFS", "SHELLOPTS", "BASH_VERSION", "PPID", "OPTIND", "PS4"} & session.shell.variables.keys()


def test_what_keeps_the_variables_is_not_traced(session: Session) -> None:
    assert session.run("set -ex; A=1; echo done") == 0
    assert b"export" not in session.output
    assert session.run('echo "$A"') == 0
    assert session.output == b"1\n"


def test_an_array_does_not_persist(tmp_path: Path) -> None:
    session = Session(tmp_path, "bash")
    assert session.run("declare -A colours; colours[sky]=blue; list=(a b); text=kept") == 0
    assert session.run('echo "[${colours[sky]}${list[*]}$text]"') == 0
    assert session.output == b"[kept]\n"


def test_an_unset_variable_is_gone_and_the_tutorials_variables_are_there(session: Session) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-cd-pipeline.html ."""
    session.run("COMMIT_HASH=$(echo 0123456789 | cut -c 1-7)")
    session.run("IMAGE_TAG=${COMMIT_HASH:=latest}")
    session.run("unset COMMIT_HASH")
    session.run('echo "$COMMIT_HASH:$IMAGE_TAG"')
    assert session.output == b":0123456\n"


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
