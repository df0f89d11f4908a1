"""The injected clock: AWS's minutes pass in seconds, by one factor printed wherever a time is shown."""

import threading
from dataclasses import dataclass

# 0.02 makes AWS's five minutes six seconds: long enough to see a shift, short enough to wait for it.
DEFAULT_TIME_SCALE = 0.02


@dataclass(frozen=True)
class Clock:
    """Pass AWS's configured waits at `time_scale` times their length (1.0 is real time).

    Only waits that a user configures on AWS are scaled: bake and termination waits, deregistration delays,
    health-check intervals. Work that is really done (a build, a start of a process) takes its own time.
    """

    time_scale: float = DEFAULT_TIME_SCALE

    def __post_init__(self) -> None:
        if not 0 < self.time_scale <= 1:
            raise ValueError(f"clock factor {self.time_scale} is not in (0, 1]: 1 is real time")

    def seconds(self, aws_seconds: float) -> float:
        """Return how many seconds of this machine's time stand for `aws_seconds`."""
        return aws_seconds * self.time_scale

    def wait(self, aws_seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait for `aws_seconds` of AWS's time; return True at once when `stop` is set meanwhile."""
        return (stop or threading.Event()).wait(self.seconds(aws_seconds))
