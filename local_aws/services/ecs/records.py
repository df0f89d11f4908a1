"""ECS's records: tasks, services and their task sets."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.core.api import now

# The statuses before RUNNING.
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


@dataclass
class Task:
    """One task: `content` is what DescribeTasks shows, the rest is the state of its run."""

    content: dict[str, Any]
    definition: Mapping[str, Any]
    environment: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    task_set: "TaskSet | None" = None
    # Set once the task has to stop.
    stopping: threading.Event = field(default_factory=threading.Event)
    running_since: float | None = None
    # The call of RunTask that started it.
    request: Mapping[str, Any] | None = None

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return str(self.content["taskArn"])

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def status(self) -> str:
        """The last status."""
        return str(self.content["lastStatus"])

    @property
    def address(self) -> str:
        """The private address of its network interface, or an empty string."""
        for detail in self.content["attachments"][0]["details"]:
            if detail["name"] == "privateIPv4Address":
                return str(detail["value"])
        return ""

    @property
    def wanted(self) -> bool:
        """Whether its desired status is RUNNING."""
        return bool(self.content["desiredStatus"] == "RUNNING")

    def container(self, name: str) -> dict[str, Any]:
        """Return the description of one of its containers."""
        return next(container for container in self.content["containers"] if container["name"] == name)

    def request_stop(self, code: str, reason: str) -> None:
        """Stop the task; the first reason given is its stoppedReason."""
        if self.wanted:
            self.content.update(
                desiredStatus="STOPPED", stopCode=code, stoppedReason=reason, stoppingAt=now()
            )
        self.stopping.set()


@dataclass
class TaskSet:
    """A task set of a service (for the ECS controller: a deployment)."""

    content: dict[str, Any]
    failures: int = 0
    # Monotonic time before which no further task is started, after failures.
    not_before: float = 0.0

    @property
    def id(self) -> str:
        """The id, as `ecs-svc/1234567890`."""
        return str(self.content["id"])

    @property
    def draining(self) -> bool:
        """Whether it is being deleted."""
        return bool(self.content["status"] == "DRAINING")

    @property
    def steady(self) -> bool:
        """Whether its stability status is STEADY_STATE."""
        return bool(self.content["stabilityStatus"] == "STEADY_STATE")

    def set_counts(self, running: int, pending: int, desired: int) -> None:
        """Set the numbers of tasks; `updatedAt` changes with them."""
        counts = {"runningCount": running, "pendingCount": pending, "computedDesiredCount": desired}
        if any(self.content[key] != value for key, value in counts.items()):
            self.content.update(counts, updatedAt=now())

    def set_steady(self, steady: bool) -> None:
        """Set the stability status; a steady task set has no failures any more."""
        status = "STEADY_STATE" if steady else "STABILIZING"
        if self.content["stabilityStatus"] != status:
            self.content.update(stabilityStatus=status, stabilityStatusAt=now(), updatedAt=now())
        if steady:
            self.failures = 0

    def restabilize(self) -> None:
        """Set the stability status to STABILIZING, with a new time in any case."""
        self.content.update(stabilityStatus="STABILIZING", stabilityStatusAt=now(), updatedAt=now())

    def count(self, desired: int) -> int:
        """Return how many of the service's `desired` tasks it runs."""
        share = float(self.content["scale"]["value"])
        return 0 if self.draining else math.ceil(desired * share / 100)


@dataclass
class EcsService:
    """A service: `content` is what DescribeServices shows, without counts, task sets and events."""

    content: dict[str, Any]
    task_sets: list[TaskSet] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    # Set when its scheduler has to run at once.
    changed: threading.Event = field(default_factory=threading.Event)

    @property
    def arn(self) -> str:
        """The service's ARN."""
        return str(self.content["serviceArn"])

    @property
    def name(self) -> str:
        """The service's name."""
        return str(self.content["serviceName"])

    @property
    def controller(self) -> str:
        """The type of its deployment controller."""
        return str(self.content["deploymentController"]["type"])

    @property
    def active(self) -> bool:
        """Whether its status is ACTIVE."""
        return bool(self.content["status"] == "ACTIVE")

    @property
    def desired(self) -> int:
        """How many tasks it runs."""
        return int(self.content["desiredCount"]) if self.active else 0

    def primary(self) -> TaskSet | None:
        """Return the task set that serves production."""
        primary = (task_set for task_set in self.task_sets if task_set.content["status"] == "PRIMARY")
        return next(primary, None)

    def add_event(self, message: str, event_id: str) -> None:
        """Add an event, the newest first, and keep a hundred."""
        self.events.insert(
            0, {"id": event_id, "createdAt": now(), "message": f"(service {self.name}) {message}"}
        )
        del self.events[100:]
