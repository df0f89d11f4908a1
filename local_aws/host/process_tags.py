"""Finds and kills processes by a tag that each of them inherits: a variable in its environment."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

# Every process that local_aws starts inherits this variable; the reaper finds what to kill by it.
INSTANCE_VARIABLE = "LOCAL_AWS_INSTANCE"
# Two empty searches in a row: the first may miss a process between fork and exec.
EMPTY_SEARCHES = 2
POLL_SECONDS = 0.05


def other_processes() -> Iterator[psutil.Process]:
    """Yield every process but this one."""
    for pid in psutil.pids():
        if pid == os.getpid():
            continue
        try:
            process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            continue
        yield process


def has_tag(process: psutil.Process, tag: str) -> bool:
    """Return whether a process was started with `tag` (`NAME=value`) in its environment.

    Raises `OSError` when the process has ended, or is another user's.
    """
    name, _, value = tag.partition("=")
    return variable_of(process.pid, name) == value


def variable_of(pid: int, name: str) -> str | None:
    """Return a variable of the environment that a process was started with, or None if it has none.

    Raises `OSError` as `has_tag`. psutil would parse every variable of every process of this machine.
    """
    _, found, rest = (b"\0" + Path(f"/proc/{pid}/environ").read_bytes()).partition(f"\0{name}=".encode())
    return os.fsdecode(rest.partition(b"\0")[0]) if found else None


def tagged(tag: str) -> Iterator[int]:
    """Yield the ids of the processes that have `tag`."""
    for process in other_processes():
        with suppress(OSError):
            if has_tag(process, tag):
                yield process.pid


def kill_all(find: Callable[[], Iterable[int]], seconds: float) -> None:
    """Send SIGKILL to what `find` returns, repeatedly, until it finds nothing or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    empty = 0
    while empty < EMPTY_SEARCHES and time.monotonic() < deadline:
        found = list(find())
        empty = 0 if found else empty + 1
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
