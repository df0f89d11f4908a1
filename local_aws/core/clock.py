"""The clock: it scales the waits that a user configures on AWS, so that minutes pass in seconds."""

import threading
from dataclasses import dataclass

# AWS's five minutes take six seconds: long enough to observe a traffic shift, short enough to wait for.
DEFAULT_TIME_SCALE = 0.02


@dataclass(frozen=True)
class Clock:
    """Scale AWS's configured waits by `time_scale` (1.0 is real time).

    It scales only the waits that a user configures on AWS: bake and termination waits, deregistration delays,
    health-check intervals. Actual work (a build, the start of a process) takes its own time.
    """

    time_scale: float = DEFAULT_TIME_SCALE

    def __post_init__(self) -> None:
        if not 0 < self.time_scale <= 1:
            raise ValueError(f"time scale {self.time_scale} is not in (0, 1]: 1 is real time")

    def seconds(self, aws_seconds: float) -> float:
        """Return the seconds on this machine that stand for `aws_seconds`."""
        return aws_seconds * self.time_scale

    def wait(self, aws_seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait for `aws_seconds` of AWS's time. Return True as soon as `stop` is set, else False."""
        return (stop or threading.Event()).wait(self.seconds(aws_seconds))
