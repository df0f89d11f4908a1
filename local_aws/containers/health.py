"""Container health checks: a command that runs inside at an interval."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local_aws.containers.engine import ContainerError
from local_aws.core.clock import Clock, slowdown

# Each check starts a process: a shorter interval would only load the machine.
SHORTEST_INTERVAL = 1.0
# The interval while healthy: tasks that serve leave the CPU to builds.
STEADY_INTERVAL = 5.0
# A start or a grace period is real work: the time scale does not shorten it below this.
SHORTEST_ALLOWANCE = 10.0


class Executable(Protocol):
    """The part of a container that a check needs."""

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Run a command inside."""


@dataclass(frozen=True)
class HealthCheck:
    """A health check, with the defaults of Docker and ECS; times in AWS's seconds."""

    command: tuple[str, ...]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0

    @classmethod
    def of_image(cls, content: Mapping[str, Any] | None) -> "HealthCheck | None":
        """Read an image's HEALTHCHECK (times in nanoseconds)."""
        command = check_command((content or {}).get("Test") or ())
        if content is None or command is None:
            return None
        second = 1e9
        return cls(
            command,
            content.get("Interval", 30 * second) / second,
            content.get("Timeout", 30 * second) / second,
            content.get("Retries", 3),
            content.get("StartPeriod", 0) / second,
        )


def check_command(test: Sequence[str]) -> tuple[str, ...] | None:
    """Return the words that a `CMD` or `CMD-SHELL` check runs, or None for `NONE` or an empty list."""
    if not test or test[0] == "NONE":
        return None
    if test[0] == "CMD-SHELL":
        return ("/bin/sh", "-c", test[1])
    return tuple(test[1:]) if test[0] == "CMD" else tuple(test)


def allowance(clock: Clock, aws_seconds: float) -> float:
    """Return how long a start may take: scaled by the clock, but at least 10 s or AWS's shorter value.

    On a loaded machine it is longer, up to AWS's value: a service would replace tasks that are about to be
    ready, without end, and each new task adds to the load.
    """
    return max(clock.seconds(aws_seconds), min(aws_seconds, SHORTEST_ALLOWANCE * slowdown()))


def watch(
    container: Executable,
    check: HealthCheck,
    clock: Clock,
    on_status: Callable[[str], None],
    stopped: threading.Event,
) -> None:
    """Check until `stopped` is set. Call `on_status` with HEALTHY or UNHEALTHY at each change.

    A failure within the start period does not count. The first success ends the period.
    """
    starting, failures, status = allowance(clock, check.start_period), 0, ""
    pause = max(clock.seconds(check.interval), SHORTEST_INTERVAL)
    steady = max(pause, min(check.interval, STEADY_INTERVAL))
    waited = 0.0
    while not stopped.wait(_until_next(pause, steady, status, failures)):
        waited += pause
        if _passes(container, check):
            failures, now = 0, "HEALTHY"
            starting = 0
        else:
            failures += waited > starting
            now = "UNHEALTHY" if failures >= check.retries else status
        if now != status and not stopped.is_set():
            status = now
            on_status(status)


def _until_next(pause: float, steady: float, status: str, failures: int) -> float:
    if not status:
        return min(pause, 0.3)
    return steady if status == "HEALTHY" and not failures else pause


def _passes(container: Executable, check: HealthCheck) -> bool:
    try:
        code, _ = container.execute(check.command, check.timeout * slowdown())
    except (TimeoutError, ContainerError):
        return False
    return code == 0
