"""The clock: it scales the waits that a user configures on AWS, so that minutes pass in seconds."""

import os
import threading
import time
from dataclasses import dataclass, field

# AWS's five minutes take six seconds: long enough to observe a traffic shift, short enough to wait for.
DEFAULT_TIME_SCALE = 0.02
# Ten seconds become a minute, which is AWS's own grace period here.
MOST_SLOWDOWN = 6.0


@dataclass
class Clock:
    """Scale AWS's configured waits by `time_scale` (1.0 is real time).

    It scales only the waits that a user configures on AWS: bake and termination waits, deregistration delays,
    health-check intervals. Actual work (a build, the start of a process) takes its own time.
    """

    time_scale: float = DEFAULT_TIME_SCALE
    _skipped: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.time_scale <= 1:
            raise ValueError(f"time scale {self.time_scale} is not in (0, 1]: 1 is real time")

    def seconds(self, aws_seconds: float) -> float:
        """Return the seconds on this machine that stand for `aws_seconds`."""
        return aws_seconds * self.time_scale

    def time(self) -> float:
        """Return this machine's time, with what was skipped; its differences stand for scaled AWS time."""
        return time.time() + self._skipped

    def skip(self, aws_seconds: float) -> None:
        """Let `aws_seconds` of AWS's time pass at once, for what is idle or scheduled for days."""
        self._skipped += self.seconds(aws_seconds)

    def wait(self, aws_seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait for `aws_seconds` of AWS's time. Return True as soon as `stop` is set, else False."""
        return (stop or threading.Event()).wait(self.seconds(aws_seconds))


def slowdown() -> float:
    """Return how many times longer work takes here than if it had a processor to itself, as on Fargate.

    At most `MOST_SLOWDOWN`: what never answers must be found on any machine.
    """
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), MOST_SLOWDOWN)
