"""Enforces the memory limit of containers that are processes: one that uses more is killed."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import psutil

from local_aws.host.process_tags import variable_of

# A cgroup limits memory at every allocation. Between two samples a process may exceed its limit.
SAMPLE_SECONDS = 0.5
MEBIBYTE = 1024 * 1024


class Limited(Protocol):
    """A container with a memory limit in MiB; 0 is no limit."""

    id: str
    memory: int

    def kill_for_memory(self) -> None:
        """Kill the container, and record that it ran out of memory."""


class MemoryWatch:
    """Kills containers that exceed their memory limit, from a thread that `start` starts.

    The processes of a container carry its id in the environment variable `variable`.
    """

    def __init__(self, variable: str, containers: Callable[[], Iterable[Limited]]) -> None:
        self.variable = variable
        self.containers = containers
        self._stopped = threading.Event()
        self._started = False

    def start(self) -> None:
        """Start sampling; a second call does nothing."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def stop(self) -> None:
        """Stop sampling."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            limits = {one.id: one for one in self.containers() if one.memory}
            for name, processes in processes_by_value(self.variable).items() if limits else ():
                limited = limits.get(name)
                if limited is not None and uses_more(processes, limited.memory * MEBIBYTE):
                    limited.kill_for_memory()


def processes_by_value(variable: str) -> dict[str, list[psutil.Process]]:
    """Return the processes that have `variable` in their environment, by its value."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        # It ended in the meantime, or belongs to another user.
        with suppress(psutil.Error, OSError):
            value = variable_of(process.pid, variable)
            if value is not None:
                found.setdefault(value, []).append(process)
    return found


def uses_more(processes: Iterable[psutil.Process], limit: int) -> bool:
    """Return whether processes use more than `limit` bytes together.

    Memory is the proportional set size: processes that share a page count it once together, as a cgroup does.
    To sum it up, the kernel visits every page. The resident set size costs nothing, and is never less.
    """
    processes = list(processes)
    # Half, because the kernel's counters of resident pages are not exact.
    if _sum(processes, lambda process: process.memory_info().rss) <= limit // 2:
        return False
    return _sum(processes, lambda process: process.memory_full_info().pss) > limit


def _sum(processes: Iterable[psutil.Process], used: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.Error, OSError):
            total += used(process)
    return total
