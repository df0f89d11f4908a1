"""The state of targets: their health, the turns in which they get requests, and their draining."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from local_aws.core.clock import Clock, slowdown
from local_aws.services.elbv2.records import Target, TargetGroup, TargetHealthCheck

# AWS's descriptions of its reason codes (DescribeTargetHealth).
DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.Timeout": "Request timed out",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.NotRegistered": "Target is not registered to the target group",
}


@dataclass(eq=False)
class TargetState:
    """The state of one target of one target group."""

    target: Target
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = DESCRIPTIONS["Elb.RegistrationInProgress"]
    passed: int = 0
    failed: int = 0
    in_flight: int = 0
    draining_since: float | None = None
    registered: float = field(default_factory=time.monotonic)

    def set(self, state: str, reason: str = "", description: str = "") -> None:
        """Change the state; without `description`, the reason has AWS's description."""
        self.state, self.reason = state, reason
        self.description = description or DESCRIPTIONS.get(reason, "")

    def set_in_use(self, in_use: bool) -> None:
        """Set whether a load balancer uses the target's group; once it does, the target is initial again."""
        if not in_use:
            self.set("unused", "Target.NotInUse")
        elif self.state == "unused":
            self.passed = self.failed = 0
            self.set("initial", "Elb.RegistrationInProgress")

    def pass_check(self, check: TargetHealthCheck) -> None:
        """Count a passed health check: a new target needs one, an unhealthy one the healthy threshold.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
        """
        self.passed, self.failed = self.passed + 1, 0
        if self.state == "initial" or self.passed >= check.healthy:
            self.set("healthy")

    def fail_check(self, check: TargetHealthCheck, reason: str, description: str = "") -> None:
        """Count a failed health check; the unhealthy threshold of them makes the target unhealthy."""
        self.passed, self.failed = 0, self.failed + 1
        # The clock does not scale the time that a process needs to start; the load of the machine does.
        allowed = check.interval * check.unhealthy * slowdown()
        starting = self.state == "initial" and time.monotonic() - self.registered < allowed
        if self.failed >= check.unhealthy and not starting:
            self.set("unhealthy", reason, description)
        elif self.state == "initial":
            self.set("initial", "Elb.InitialHealthChecking")


@dataclass
class GroupState:
    """The targets of one target group, draining ones included."""

    group: TargetGroup
    clock: Clock
    targets: dict[Target, TargetState] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    _turn: Iterator[int] = field(default_factory=itertools.count)

    def update(self, group: TargetGroup) -> None:
        """Replace the record: new targets start as initial, missing ones drain."""
        self.group = group
        for target in group.targets:
            self._register(target)
        for target, state in self.targets.items():
            if target not in group.targets and state.draining_since is None:
                state.draining_since = self.now()
                state.set("draining", "Target.DeregistrationInProgress")
        for state in self.registered():
            state.set_in_use(group.load_balancer is not None)

    def _register(self, target: Target) -> None:
        state = self.targets.get(target)
        if state is None or state.draining_since is not None:
            self.targets[target] = TargetState(target, in_flight=state.in_flight if state else 0)

    def registered(self) -> list[TargetState]:
        """Return the targets that are not draining."""
        return [state for state in list(self.targets.values()) if state.draining_since is None]

    def choose(self) -> TargetState | None:
        """Return the next healthy target, or the next target when none is healthy: ALB fails open."""
        registered = self.registered()
        eligible = [state for state in registered if state.state == "healthy"] or registered
        return eligible[next(self._turn) % len(eligible)] if eligible else None

    def forget_drained(self) -> None:
        """Remove targets whose deregistration delay has passed; with requests in flight it is not scaled.

        The clock scales AWS's waits, not the time that a request takes.
        """
        delay = self.group.deregistration_delay
        for target, state in list(self.targets.items()):
            if state.draining_since is None:
                continue
            waited = self.now() - state.draining_since
            idle = state.in_flight == 0
            if waited >= (self.clock.seconds(delay) if idle else delay):
                del self.targets[target]
