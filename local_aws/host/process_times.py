"""How much CPU time processes of this machine have used."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil


def cpu_seconds(process_id: int) -> float:
    """Return the CPU seconds of a process and of all processes below it; 0 if it has ended."""
    seconds = 0.0
    for each in (process_id, *_below(process_id)):
        with suppress(psutil.Error):
            times = psutil.Process(each).cpu_times()
            seconds += times.user + times.system
    return seconds


def _below(process_id: int) -> Iterator[int]:
    """Yield the processes below one; psutil would read the parent of every process of this machine.

    https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
    """
    try:
        threads = list(Path(f"/proc/{process_id}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        # It has ended, or the kernel was built without these files.
        with suppress(psutil.Error):
            yield from (each.pid for each in psutil.Process(process_id).children(recursive=True))
        return
    for child in children:
        yield child
        yield from _below(child)
