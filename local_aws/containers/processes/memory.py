"""Enforces the memory limit of containers that are processes: one that uses more is killed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

import psutil

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
            limited = [container for container in self.containers() if container.memory]
            if limited:
                used = memory_by_value(self.variable)
                for container in limited:
                    if used[container.id] > container.memory * MEBIBYTE:
                        container.kill_for_memory()


def memory_by_value(variable: str) -> Counter[str]:
    """Return the bytes that processes use, by the value of `variable` in their environment.

    Memory is the proportional set size: processes that share a page count it once together, as a cgroup does.
    """
    used: Counter[str] = Counter()
    for process in psutil.process_iter():
        try:
            value = process.environ().get(variable)
            if value is not None:
                used[value] += process.memory_full_info().pss
        # It ended in the meantime, or belongs to another user.
        except (psutil.Error, OSError):
            continue
    return used
