"""An interrupted command is gone, with all that it has started."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from operations.interruptible import run

# As the virtual environment's `node`: a program that starts another one and waits for it.
STARTS_ANOTHER = "import subprocess, sys; subprocess.call(['sleep', '60'])"


def members(group: int) -> list[str]:
    """The programs of a process group that still run."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return [field[0] for field in fields if int(field[2]) == group and field[0] != "Z"]


def test_a_command_has_its_exit_code_and_its_output(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        words = ["sh", "-c", "echo one; echo two >&2; exit 3"]
        assert run(words, folder=tmp_path, environment=os.environ, output=log) == 3
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_an_interrupted_command_is_killed_with_what_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = []
    killpg = os.killpg

    def kill(group: int, number: int) -> None:
        groups.append(group)
        assert len(members(group)) == 2, "the program, and the one that it has started"
        killpg(group, number)

    monkeypatch.setattr(os, "killpg", kill)
    # To the thread that waits: a signal to another one would not end its wait.
    threading.Timer(1, signal.pthread_kill, [threading.get_ident(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", STARTS_ANOTHER], folder=tmp_path, environment=os.environ, output=None)
    deadline = time.monotonic() + 10
    while members(groups[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(groups[0]) == []
