"""What a scenario has seen so far, for whoever watches: a terminal, a log, or nobody."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.prober import Prober
from harness.release import Release


@dataclass
class Progress:
    """One scenario's state. `say` is called with every line.

    `time_scale` is the cloud's pace, `containers` what runs them, empty on AWS.
    """

    say: Callable[[str], None]
    time_scale: float = 1.0
    containers: str = ""
    url: str = ""
    prober: Prober | None = None
    release: Release | None = None
    old: str = ""
    new: str = ""
    started: float = field(default_factory=time.monotonic)
    _told: dict[str, str] = field(default_factory=dict)

    def step(self, text: str) -> None:
        """Tell of a step, with the seconds since the start."""
        self.say(f"{time.monotonic() - self.started:6.1f} s  {text}")

    def see(self, release: Release) -> None:
        """Take a look at a release; tell of what changed since the last look."""
        if self.release is None or self.release.execution != release.execution:
            self._told = {}
        self.release = release
        named = [(f"stage {name}", status) for name, status in release.stages]
        named += [(f"lifecycle event {name}", status) for name, status in release.events]
        if release.deployment:
            named.append(("deployment", release.deployment))
        for name, state in named:
            if self._told.get(name) != state:
                self._told[name] = state
                self.step(f"  {name}: {state}{self._served(name)}")

    def _served(self, name: str) -> str:
        if self.prober is None or not name.startswith("lifecycle"):
            return ""
        versions = ", ".join(f"{version[:7]} {count}" for version, count in self.prober.recent()[1].items())
        return f"   (answers in the last second: {versions or 'none'})"
