"""Finds and ends processes by a mark that each of them inherits: a variable in its environment.

Standard library only: the reaper, and the `docker` of a build, start without boto3.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# Every process that local_aws starts carries this variable; the reaper finds what to kill by it.
INSTANCE_VARIABLE = "LOCAL_AWS_INSTANCE"
# Two empty looks in a row: a process between fork and exec may not have been seen by the first.
EMPTY_LOOKS = 2
LOOK_SECONDS = 0.05


def others() -> Iterator[Path]:
    """Yield the folder in /proc of every process but this one."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield entry


def carries(entry: Path, mark: str) -> bool:
    """Say whether a process carries `mark` (`NAME=value`) in the environment that it was started with.

    Raises `OSError` when it ended meanwhile, or is another user's.
    """
    return mark.encode() in (entry / "environ").read_bytes().split(b"\0")


def marked(mark: str) -> Iterator[int]:
    """Yield the ids of the processes that carry `mark`."""
    for entry in others():
        try:
            if carries(entry, mark):
                yield int(entry.name)
        except OSError:
            continue


def kill_all(find: Callable[[], Iterable[int]], seconds: float) -> None:
    """SIGKILL what `find` finds, again and again until it finds nothing, for `seconds` at most."""
    deadline = time.monotonic() + seconds
    empty = 0
    while empty < EMPTY_LOOKS and time.monotonic() < deadline:
        found = list(find())
        empty = 0 if found else empty + 1
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(LOOK_SECONDS)
