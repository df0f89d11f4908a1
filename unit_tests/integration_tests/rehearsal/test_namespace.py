"""Where a machine allows no namespaces, one line says so; inside, a command gets signals as in a terminal."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from integration_tests.rehearsal import __main__, namespace


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert namespace.problem() == "there is no unshare, nsenter, mount: install util-linux"


def test_a_refusal_of_the_kernel_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in namespace.PROGRAMS:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{name}: Operation not permitted' >&2\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = "this machine allows no user, network and mount namespaces (unshare: Operation not permitted)"
    assert namespace.problem() == expected


def test_make_rehearsal_then_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "problem", lambda: "there is no unshare: install util-linux")
    assert __main__.main() == 2
    assert capsys.readouterr().err == "rehearsal: there is no unshare: install util-linux\n"


SHOW = "from signal import *; print(SIG_IGN in map(getsignal, (SIGINT, SIGHUP)))"


def test_a_command_gets_ctrl_c_also_when_the_rehearsal_runs_in_the_background(tmp_path: Path) -> None:
    """A rehearsal that was started with `nohup ... &` sent signals that nobody received."""
    any_socket = socket.socket()
    inside = namespace.Namespace(1, any_socket, any_socket, {})
    command = inside.command([sys.executable, "-c", SHOW], tmp_path)
    before = [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGHUP)]
    try:
        run_inside = command[command.index("--") + 1 :]
        shown = subprocess.run(run_inside, capture_output=True, text=True, check=True).stdout  # noqa: S603
    finally:
        for one, handler in zip((signal.SIGINT, signal.SIGHUP), before, strict=True):
            signal.signal(one, handler)
        any_socket.close()
    assert shown == "False\n"
