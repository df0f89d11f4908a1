"""The progress of a scenario, printed as lines and read by the live view."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from math import inf

from harness.prober import Prober
from harness.release import Release

# After so many seconds without a line, what is waited for is told again.
QUIET_SECONDS = 10.0


@dataclass
class Progress:
    """The state of a scenario. `report` is called with every line.

    `time_scale` and `containers` are the cloud's. `has_clock` says that what shows it also shows `clock()`.
    """

    report: Callable[[str], None]
    time_scale: float = 1.0
    containers: str = ""
    url: str = ""
    prober: Prober | None = None
    release: Release | None = None
    old: str = ""
    new: str = ""
    began: float = field(default_factory=time.time)
    has_clock: bool = False
    waited_for: Callable[[], str] | None = None
    _reported: dict[str, str] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def step(self, text: str, at: float | None = None) -> None:
        """Report a step, with the seconds from the start until now, or until `at`, since the epoch."""
        self._last = time.monotonic()
        self.report(f"{(time.time() if at is None else at) - self.began:6.1f} s  {text}")

    def clock(self) -> str:
        """Return the minutes and seconds from the start, and what is waited for."""
        minutes, seconds = divmod(int(time.time() - self.began), 60)
        waited_for = self.waited_for
        return f"{minutes}:{seconds:02d}{f'  {waited_for()}' if waited_for else ''}"

    @contextmanager
    def waiting(self, what: Callable[[], str]) -> Iterator[None]:
        """While the context is open, `what` is waited for.

        Without a clock, it is told whenever nothing was told for some seconds.
        """
        self.waited_for = what
        try:
            with nullcontext() if self.has_clock else self._repeating(what):
                yield
        finally:
            self.waited_for = None

    @contextmanager
    def _repeating(self, what: Callable[[], str]) -> Iterator[None]:
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(max(0.1, self._last + QUIET_SECONDS - time.monotonic())):
                if time.monotonic() - self._last >= QUIET_SECONDS:
                    self.step(f"  still {what()}")

        thread = threading.Thread(target=repeat, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def running(self) -> str:
        """Return what of the current release runs, in words."""
        stages = self.release.stages if self.release else ()
        names = [f"{name} {status}" for name, status in stages if status == "InProgress"]
        return f"waiting for the pipeline{': ' if names else ''}{', '.join(names)}"

    def update(self, release: Release) -> None:
        """Report what changed in a release since the last update, in the order in which it happened."""
        if self.release is None or self.release.execution != release.execution:
            self._reported = {}
        self.release = release
        moments = dict(release.moments)
        named = [(f"stage {name}", status, moments.get(name)) for name, status in release.stages]
        if release.deployment:
            named.append(("deployment", release.deployment, moments.get("Deploy")))
        named += [(f"lifecycle event {name}", status, moments.get(name)) for name, status in release.events]
        # What has only just begun may have no time yet, and comes last; what has not begun is not told.
        for name, state, at in sorted(named, key=lambda one: inf if one[2] is None else one[2]):
            if state != "Pending" and self._reported.get(name) != state:
                self._reported[name] = state
                self.step(f"  {name}: {state}{self._versions(name, at)}", at)

    def _versions(self, name: str, at: float | None) -> str:
        """Return who answered until a lifecycle event: it is seen later, when others may answer."""
        if self.prober is None or at is None or not name.startswith("lifecycle"):
            return ""
        before = self.prober.versions_before(at)
        versions = ", ".join(f"{version[:7]} {count}" for version, count in before.items())
        return f"   (responses in the second before: {versions or 'none'})"
