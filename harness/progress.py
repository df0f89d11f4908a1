"""The progress of a scenario, printed as lines and read by the live view."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.prober import Prober
from harness.release import Release


@dataclass
class Progress:
    """The state of a scenario. `report` is called with every line.

    `time_scale` and `containers` are the cloud's.
    """

    report: Callable[[str], None]
    time_scale: float = 1.0
    containers: str = ""
    url: str = ""
    prober: Prober | None = None
    release: Release | None = None
    old: str = ""
    new: str = ""
    started: float = field(default_factory=time.monotonic)
    _reported: dict[str, str] = field(default_factory=dict)

    def step(self, text: str) -> None:
        """Report a step, with the seconds since the start."""
        self.report(f"{time.monotonic() - self.started:6.1f} s  {text}")

    def update(self, release: Release) -> None:
        """Report what changed in a release since the last update."""
        if self.release is None or self.release.execution != release.execution:
            self._reported = {}
        self.release = release
        named = [(f"stage {name}", status) for name, status in release.stages]
        named += [(f"lifecycle event {name}", status) for name, status in release.events]
        if release.deployment:
            named.append(("deployment", release.deployment))
        for name, state in named:
            if self._reported.get(name) != state:
                self._reported[name] = state
                self.step(f"  {name}: {state}{self._versions(name)}")

    def _versions(self, name: str) -> str:
        if self.prober is None or not name.startswith("lifecycle"):
            return ""
        versions = ", ".join(f"{version[:7]} {count}" for version, count in self.prober.recent()[1].items())
        return f"   (responses in the last second: {versions or 'none'})"
