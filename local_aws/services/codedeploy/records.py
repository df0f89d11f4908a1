"""CodeDeploy's records: applications, deployment groups, deployments and their lifecycle events."""

import secrets
import string
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from local_aws.core.api import now
from local_aws.core.context import Context, ServiceRole, Source
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


class LastDeploymentInfo(TypedDict):
    """LastDeploymentInfo."""

    deploymentId: str
    status: str
    createTime: datetime
    endTime: NotRequired[datetime]


class EcsTaskSet(TypedDict):
    """ECSTaskSet (`identifer` is AWS's own spelling)."""

    identifer: str
    desiredCount: int
    pendingCount: int
    runningCount: int
    status: str
    trafficWeight: float
    targetGroup: dict[str, str]
    taskSetLabel: str


@dataclass
class Revision:
    """A revision of an application: its location and its use."""

    location: Mapping[str, Any]
    registered: datetime = field(default_factory=now)
    description: str = ""
    first_used: datetime | None = None
    last_used: datetime | None = None
    groups: list[str] = field(default_factory=list)


@dataclass
class DeploymentGroup:
    """One deployment group; `settings` in the API's shape."""

    application: str
    name: str
    settings: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    last_attempted: LastDeploymentInfo | None = None
    last_successful: LastDeploymentInfo | None = None
    target_revision: Mapping[str, Any] | None = None

    def role(self, context: Context) -> ServiceRole:
        """Return the role that deployments act as."""
        arn = context.arn("codedeploy", f"deploymentgroup:{self.application}/{self.name}")
        return service_role(self.settings["serviceRoleArn"], arn)


def service_role(role_arn: str, group_arn: str) -> ServiceRole:
    """Return a role that CodeDeploy assumes for a deployment group.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html
    """
    return ServiceRole(role_arn, "codedeploy", group_arn, Source.ACCOUNT_AND_ARN)


@dataclass
class Application:
    """One application with its groups and revisions."""

    name: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=now)
    groups: dict[str, DeploymentGroup] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)


@dataclass
class LifecycleEvent:
    """One lifecycle event of a deployment."""

    name: str
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    message: str = ""


@dataclass
class DeploymentProgress:
    """What a rollback needs: the listeners' rules from before, and the blue and green task sets."""

    saved: dict[str, Any] = field(default_factory=dict)
    blue: Mapping[str, Any] | None = None
    green: str | None = None
    # Once blue is being deleted, a rollback is impossible.
    reversible: bool = True


@dataclass(eq=False)
class Deployment:
    """One deployment: the settings that it began with, and its progress."""

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
    task_sets: list[EcsTaskSet] = field(default_factory=list)
    service_arn: str = ""
    # A rollback shares the progress of the deployment that it rolls back.
    progress: DeploymentProgress = field(default_factory=DeploymentProgress)
    termination_wait_started: bool = False
    # Set by StopDeployment: whether to roll back. None: it was not called.
    stop: bool | None = None
    wake: threading.Event = field(default_factory=threading.Event)
    skip: set[str] = field(default_factory=set)

    @property
    def alarms(self) -> Mapping[str, Any]:
        """The alarm configuration in force."""
        configured: Mapping[str, Any] = self.settings.get("alarmConfiguration", {})
        return self.override_alarms or configured

    @property
    def active(self) -> bool:
        """Whether the deployment has not ended."""
        return self.status not in FINAL

    @property
    def target_id(self) -> str:
        """The id of its one target: `<cluster>:<service>`."""
        service = self.settings["ecsServices"][0]
        return f"{service['clusterName']}:{service['serviceName']}"
