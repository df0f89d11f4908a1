"""What CodeDeploy remembers: applications, deployment groups, deployments and their lifecycle events."""

import hashlib
import secrets
import string
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws.core.api import now
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codedeploy.deployment_config import DeploymentConfig

# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
LIFECYCLE = (
    *("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic"),
    *("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"),
)
FINAL = frozenset({"Succeeded", "Failed", "Stopped"})


def deployment_id() -> str:
    """Return a new `d-XXXXXXXXX`."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))


@dataclass
class Revision:
    """A revision that an application knows: its location, its use."""

    location: Mapping[str, Any]
    registered: datetime = field(default_factory=now)
    description: str = ""
    first_used: datetime | None = None
    last_used: datetime | None = None
    groups: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return GenericRevisionInfo."""
        moments = {
            "registerTime": self.registered,
            "firstUsedTime": self.first_used,
            "lastUsedTime": self.last_used,
        }
        used = {key: value for key, value in moments.items() if value is not None}
        return {"description": self.description, "deploymentGroups": list(self.groups), **used}


@dataclass
class DeploymentGroup:
    """One deployment group; `settings` in the API's shape."""

    application: str
    name: str
    settings: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    last_attempted: dict[str, Any] | None = None
    last_successful: dict[str, Any] | None = None
    target_revision: Mapping[str, Any] | None = None

    def role(self, context: Context) -> ServiceRole:
        """Return the role that deployments act as."""
        arn = context.arn("codedeploy", f"deploymentgroup:{self.application}/{self.name}")
        return ServiceRole(self.settings["serviceRoleArn"], "codedeploy", arn)

    def describe(self) -> dict[str, Any]:
        """Return DeploymentGroupInfo."""
        history = {
            "lastAttemptedDeployment": self.last_attempted,
            "lastSuccessfulDeployment": self.last_successful,
            "targetRevision": hide_content(self.target_revision) if self.target_revision else None,
        }
        return {
            "applicationName": self.application,
            "deploymentGroupId": self.id,
            "deploymentGroupName": self.name,
            "computePlatform": "ECS",
            "outdatedInstancesStrategy": "UPDATE",
            **self.settings,
            **{key: value for key, value in history.items() if value is not None},
        }


@dataclass
class Application:
    """One application with its groups and revisions."""

    name: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=now)
    groups: dict[str, DeploymentGroup] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return ApplicationInfo."""
        return {
            "applicationId": self.id,
            "applicationName": self.name,
            "createTime": self.created,
            "linkedToGitHub": False,
            "computePlatform": "ECS",
        }


@dataclass
class LifecycleEvent:
    """One step of a deployment."""

    name: str
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    message: str = ""

    def describe(self) -> dict[str, Any]:
        """Return LifecycleEvent."""
        shown: dict[str, Any] = {"lifecycleEventName": self.name, "status": self.status}
        if self.started:
            shown["startTime"] = self.started
        if self.ended:
            shown["endTime"] = self.ended
        if self.message:
            shown["diagnostics"] = {"errorCode": "UnknownError", "message": self.message}
        return shown


@dataclass
class Progress:
    """How far a deployment came, for it to be undone: both listeners' rules before, and who is who."""

    saved: dict[str, Any] = field(default_factory=dict)
    blue: Mapping[str, Any] | None = None
    green: str | None = None
    # From the moment blue is being deleted there is nothing to go back to.
    reversible: bool = True


@dataclass(eq=False)
class Deployment:
    """One deployment: its plan as it was when it began, and how far it came."""

    application: str
    group: DeploymentGroup
    settings: dict[str, Any]
    config: DeploymentConfig
    revision: Mapping[str, Any]
    creator: str = "user"
    description: str = ""
    id: str = field(default_factory=deployment_id)
    status: str = "Created"
    created: datetime = field(default_factory=now)
    started: datetime | None = None
    completed: datetime | None = None
    error: dict[str, str] | None = None
    rollback: dict[str, str] | None = None
    previous: Mapping[str, Any] | None = None
    auto_rollback: Mapping[str, Any] = field(default_factory=dict)
    override_alarms: Mapping[str, Any] | None = None
    events: dict[str, LifecycleEvent] = field(
        default_factory=lambda: {name: LifecycleEvent(name) for name in LIFECYCLE}
    )
    task_sets: list[dict[str, Any]] = field(default_factory=list)
    service_arn: str = ""
    # A rollback has that of the deployment which it undoes.
    progress: Progress = field(default_factory=Progress)
    termination_wait_started: bool = False
    # Asked for by StopDeployment: whether to roll back; None while nobody asked.
    stop: bool | None = None
    wake: threading.Event = field(default_factory=threading.Event)
    skip: set[str] = field(default_factory=set)

    @property
    def alarms(self) -> Mapping[str, Any]:
        """Return the alarm configuration in force."""
        configured: Mapping[str, Any] = self.settings.get("alarmConfiguration", {})
        return self.override_alarms or configured

    @property
    def active(self) -> bool:
        """Say whether the deployment still runs."""
        return self.status not in FINAL

    @property
    def target_id(self) -> str:
        """Return the id of its one target: `<cluster>:<service>`."""
        service = self.settings["ecsServices"][0]
        return f"{service['clusterName']}:{service['serviceName']}"

    def describe(self) -> dict[str, Any]:
        """Return DeploymentInfo."""
        optional = {
            "startTime": self.started,
            "completeTime": self.completed,
            "errorInformation": self.error,
            "rollbackInfo": self.rollback,
            "previousRevision": hide_content(self.previous) if self.previous else None,
            "description": self.description or None,
            "overrideAlarmConfiguration": self.override_alarms,
        }
        shared = ("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo")
        return {
            "applicationName": self.application,
            "deploymentGroupName": self.group.name,
            "deploymentConfigName": self.config.name,
            "deploymentId": self.id,
            "revision": hide_content(self.revision),
            "status": self.status,
            "createTime": self.created,
            "creator": self.creator,
            "ignoreApplicationStopFailures": False,
            "updateOutdatedInstancesOnly": False,
            "deploymentOverview": self._overview(),
            "instanceTerminationWaitTimeStarted": self.termination_wait_started,
            "autoRollbackConfiguration": dict(self.auto_rollback) or {"enabled": False},
            "computePlatform": "ECS",
            "fileExistsBehavior": "DISALLOW",
            "deploymentStatusMessages": [],
            **{key: self.settings[key] for key in shared if key in self.settings},
            **{key: value for key, value in optional.items() if value is not None},
        }

    def target(self) -> dict[str, Any]:
        """Return DeploymentTarget: the one ECS service."""
        moments = [m for event in self.events.values() for m in (event.started, event.ended) if m]
        return {
            "deploymentTargetType": "ECSTarget",
            "ecsTarget": {
                "deploymentId": self.id,
                "targetId": self.target_id,
                "targetArn": self.service_arn,
                "lastUpdatedAt": max(moments, default=self.created),
                "lifecycleEvents": [event.describe() for event in self.events.values()],
                "status": self.target_status(),
                "taskSetsInfo": list(self.task_sets),
            },
        }

    def target_status(self) -> str:
        """Return the target's status: that of the deployment in a target's words."""
        words = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}
        return words.get(self.status, self.status)

    def _overview(self) -> dict[str, int]:
        counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
        counts[self.target_status()] = 1
        return counts


def with_sha256(location: Mapping[str, Any]) -> dict[str, Any]:
    """Return a revision's location with the SHA-256 of its content, by which it is known."""
    for key in ("appSpecContent", "string"):
        if key in location:
            content = location[key].get("content", "")
            digest = hashlib.sha256(content.encode()).hexdigest()
            return {**location, key: {"sha256": digest, **location[key]}}
    return dict(location)


def hide_content(location: Mapping[str, Any]) -> dict[str, Any]:
    """Return a location without its content, as AWS answers it (only GetApplicationRevision shows it)."""
    return {
        key: {name: item for name, item in value.items() if name != "content"}
        if isinstance(value, Mapping)
        else value
        for key, value in location.items()
    }
