"""What ECS remembers: tasks, services and their task sets, as its API shows them."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws.core.api import now

# Before RUNNING and after it, in order.
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")


@dataclass
class Task:
    """One task: `content` is what describe-tasks shows, the rest is what its thread works with."""

    content: dict[str, Any]
    definition: Mapping[str, Any]
    environment: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    task_set: "TaskSet | None" = None
    # Set to end the task; `stop_code` and `reason` are noted before.
    stopping: threading.Event = field(default_factory=threading.Event)
    running_since: float | None = None

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
        """The private address of its network interface; empty before it has one."""
        for detail in self.content["attachments"][0]["details"]:
            if detail["name"] == "privateIPv4Address":
                return str(detail["value"])
        return ""

    @property
    def wanted(self) -> bool:
        """Whether it shall run."""
        return bool(self.content["desiredStatus"] == "RUNNING")

    def container(self, name: str) -> dict[str, Any]:
        """Return the description of one of its containers."""
        return next(one for one in self.content["containers"] if one["name"] == name)

    def ask_to_stop(self, code: str, reason: str) -> None:
        """Make the task end; the first reason given is the one that stays."""
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

    def count(self, desired: int) -> int:
        """Return how many tasks it shall run of the service's `desired`."""
        share = float(self.content["scale"]["value"])
        return 0 if self.draining else math.ceil(desired * share / 100)


@dataclass
class Service:
    """A service: `content` is what describe-services shows, but for counts, task sets and events."""

    content: dict[str, Any]
    task_sets: list[TaskSet] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    # Set whenever something changed that its scheduler has to look at.
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
        """Whether it is neither being deleted nor gone."""
        return bool(self.content["status"] == "ACTIVE")

    @property
    def desired(self) -> int:
        """How many tasks it shall run."""
        return int(self.content["desiredCount"]) if self.active else 0

    def primary(self) -> TaskSet | None:
        """Return the task set that serves production."""
        return next((one for one in self.task_sets if one.content["status"] == "PRIMARY"), None)

    def note(self, message: str, event_id: str) -> None:
        """Add an event, the newest first, a hundred at most."""
        self.events.insert(
            0, {"id": event_id, "createdAt": now(), "message": f"(service {self.name}) {message}"}
        )
        del self.events[100:]


def iso(content: Any) -> Any:
    """Return a description with its times as events write them."""
    if isinstance(content, dict):
        return {key: iso(value) for key, value in content.items()}
    if isinstance(content, list):
        return [iso(value) for value in content]
    return content.isoformat() if isinstance(content, datetime) else content
