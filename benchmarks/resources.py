"""What a local_aws uses while it runs: samples of its process and of its state folder, and how they grow."""

import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.local import LOG

MEBI = 1024**2


@dataclass(frozen=True)
class Sample:
    """What is used at one moment; `seconds` since the first sample, sizes in MiB."""

    seconds: float
    memory: float
    files: int
    sockets: int
    threads: int
    state: float
    log: float


# What must not grow for as long as it runs; the state and the log do with each release.
FLAT = ("memory", "files", "sockets", "threads")
# Between the second and the last quarter of the samples: what was released first fills caches.
MOST_GROWTH = 1.1
# Of a quarter: in the first minutes of load, everything grows.
LEAST_SAMPLES = 10


def sample(pid: int, state: Path, began: float) -> Sample:
    """Return what the server of a state folder uses now. Raises `OSError` if it has ended."""
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    if "VmRSS" not in status:
        # It is a zombie: nobody has waited for it yet.
        raise ProcessLookupError(pid)
    targets = list(_targets(process / "fd"))
    sockets = sum(target.startswith("socket:") for target in targets)
    return Sample(
        seconds=time.monotonic() - began,
        memory=int(status["VmRSS"].split()[0]) / 1024,
        files=len(targets) - sockets,
        sockets=sockets,
        threads=int(status["Threads"]),
        state=size(state) / MEBI,
        log=(state / LOG).stat().st_size / MEBI,
    )


def _targets(folder: Path) -> Iterator[str]:
    for one in folder.iterdir():
        try:
            yield str(one.readlink())
        except FileNotFoundError:
            # It was closed since.
            continue


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk; a file with several names counts once."""
    found: dict[int, int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                status = Path(place, name).lstat()
            except FileNotFoundError:
                continue
            found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


class Watch:
    """Samples of a server, one every `interval` seconds."""

    def __init__(self, pid: int, state: Path, interval: float) -> None:
        self.pid = pid
        self.state = state
        self.interval = interval
        self.began = time.monotonic()
        self.samples: list[Sample] = [sample(pid, state, self.began)]
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator["Watch"]:
        """Sample while the context is open."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self.interval):
            try:
                self.samples.append(sample(self.pid, self.state, self.began))
            except OSError:
                # The server has ended: whoever calls it next says so.
                return


def slope(samples: Sequence[Sample], name: str) -> float:
    """Return by how much something grows in an hour, by least squares, without the first quarter."""
    later = samples[len(samples) // 4 :]
    if len(later) < 2:
        return 0.0
    values = [float(getattr(one, name)) for one in later]
    return 3600 * statistics.linear_regression([one.seconds for one in later], values).slope


def growing(samples: Sequence[Sample]) -> list[str]:
    """Say what should be flat and has grown, from the second to the last quarter of the samples."""
    quarter = len(samples) // 4
    if quarter < LEAST_SAMPLES:
        return []
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for name in FLAT:
        before, after = (statistics.median(getattr(one, name) for one in part) for part in (second, last))
        if after > before * MOST_GROWTH:
            found.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return found
