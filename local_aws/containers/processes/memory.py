"""The memory of containers that are processes: one that uses more than its limit is killed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

import psutil

from local_aws.host.process_tags import other_processes

# Between two looks a container may take more than it has: a kernel's cgroup would not let it.
LOOK_SECONDS = 0.5
MEBIBYTE = 1024 * 1024


class Limited(Protocol):
    """What the watch needs of a container; `memory` is its limit in MiB, 0 for none."""

    id: str
    memory: int

    def kill_for_memory(self) -> None:
        """End everything of it, and remember why."""


class MemoryWatch:
    """Kills each of `containers` that uses more than its limit, on a thread, from the first look on."""

    def __init__(self, variable: str, containers: Callable[[], Iterable[Limited]]) -> None:
        self.variable = variable
        self.containers = containers
        self._stopped = threading.Event()
        self._started = False

    def start(self) -> None:
        """Begin to look, at the first container that has a limit."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._look_on, name="memory", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _look_on(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            limited = [one for one in self.containers() if one.memory]
            if limited:
                used = memory_by_mark(self.variable)
                for container in limited:
                    if used[container.id] > container.memory * MEBIBYTE:
                        container.kill_for_memory()


def memory_by_mark(variable: str) -> Counter[str]:
    """Return how many bytes the processes use together that carry each value of `variable`."""
    used: Counter[str] = Counter()
    for process in other_processes():
        try:
            value = process.environ().get(variable)
            if value is not None:
                # Shared pages count once among the processes that share them, as in a cgroup.
                used[value] += process.memory_full_info().pss
        except (psutil.Error, OSError):
            # It ended meanwhile, or is another user's.
            continue
    return used
