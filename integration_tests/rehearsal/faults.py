"""What goes wrong between a person and AWS: errors in place of answers, and names that come late."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from aiohttp import web

from integration_tests.rehearsal.calls import Call, error
from integration_tests.rehearsal.front import Front


@dataclass
class Fault:
    """An error for the calls that `concerns`, `times` times at most, and for `seconds` from the first one."""

    code: str
    message: str
    concerns: Callable[[Call], bool]
    times: float = inf
    seconds: float = inf
    status: int = 400
    met: list[Call] = field(default_factory=list)
    began: float = inf

    def __call__(self, call: Call) -> web.Response | None:
        """Return the error if this call gets one."""
        if not self.concerns(call) or len(self.met) >= self.times:
            return None
        self.began = min(self.began, time.monotonic())
        if time.monotonic() - self.began > self.seconds:
            return None
        self.met.append(call)
        return error(call, self.code, self.message, self.status)


@dataclass
class LateName:
    """Load balancers whose names do not resolve for `seconds` after somebody asked for one."""

    seconds: float
    asked: list[str] = field(default_factory=list)
    began: float = inf

    def __call__(self, name: str) -> bool:
        """Return whether a name does not resolve yet."""
        self.began = min(self.began, time.monotonic())
        if time.monotonic() - self.began > self.seconds:
            return False
        self.asked.append(name)
        return True


@contextmanager
def injected(front: Front, *faults: Fault) -> Iterator[None]:
    """Inject faults while the context is open."""
    front.faults += faults
    try:
        yield
    finally:
        for fault in faults:
            front.faults.remove(fault)


def expired_token() -> Fault:
    """Return what every call gets once a session has ended.

    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    """
    message = "The security token included in the request is expired"
    return Fault("ExpiredToken", message, lambda _call: True, status=403)


def denied(operation: str) -> Fault:
    """Return what a call gets that the caller's policies do not allow."""
    message = f"User is not authorized to perform {operation}"
    return Fault("AccessDeniedException", message, lambda call: call.operation == operation)


def throttled(*services: str, seconds: float) -> Fault:
    """Return what the calls of some services get while others use up the account's rate.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    return Fault(
        "ThrottlingException", "Rate exceeded", lambda call: call.service in services, seconds=seconds
    )


def not_started(times: int) -> Fault:
    """Return what the first looks at a deployment's targets get.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html
    """
    looks = {"ListDeploymentTargets", "BatchGetDeploymentTargets"}
    message = "The specified deployment has not started."
    return Fault("DeploymentNotStartedException", message, lambda call: call.operation in looks, times=times)
