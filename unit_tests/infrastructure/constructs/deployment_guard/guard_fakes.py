"""What the deployment guard calls: CodeDeploy, ECS and EventBridge, as far as it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev"
DIGEST = "sha256:" + "a" * 64
NAME = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:7"
EVENT = {"detail": {"deploymentId": "d-1", "state": "START"}}
SIDECAR = {
    "name": "collector",
    "image": f"public.ecr.aws/aws-observability/aws-otel-collector@{DIGEST}",
    "command": ["--config=env:C"],
    "environment": [{"name": "C", "value": "x"}],
}
GROUP: Mapping[str, Any] = {
    "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "alarmConfiguration": {"enabled": True, "alarms": [{"name": "errors"}, {"name": "latency"}]},
    "autoRollbackConfiguration": {
        "enabled": True,
        "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    },
}
Task = dict[str, Any]


class CompletedError(Exception):
    """DeploymentAlreadyCompletedException."""


class Exceptions:
    """The exceptions of the client of CodeDeploy."""

    DeploymentAlreadyCompletedException = CompletedError


@dataclass
class Aws:
    """CodeDeploy, ECS and EventBridge, as far as the guard calls them."""

    appspec: str
    task: Task
    revision_type: str = "appSpecContent"
    creator: str = "user"
    active: tuple[str, ...] = ()
    # The status that it has ended with.
    ended: str = ""
    broken: bool = False
    # What GetDeployment also returns: how the deployment shifts traffic.
    shift: dict[str, Any] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    exceptions = Exceptions

    def client(self, _service: str, **_given: Any) -> Aws:
        return self

    def list_deployments(self, **given: Any) -> Any:
        assert given["includeOnlyStatuses"] == ["Created", "Queued", "InProgress", "Baking", "Ready"]
        return {"deployments": list(self.active)}

    def get_deployment(self, **_given: Any) -> Any:
        info = {"creator": self.creator, "revision": {"sha256": "x"}}
        return {"deploymentInfo": {**info, **self.shift, "status": self.ended or "InProgress"}}

    def get_deployment_group(self, **given: Any) -> Any:
        assert given == {"applicationName": "application-dev", "deploymentGroupName": "deployment-group-dev"}
        return {"deploymentGroupInfo": GROUP}

    def get_application_revision(self, **given: Any) -> Any:
        assert given == {"applicationName": "application-dev", "revision": {"sha256": "x"}}
        if self.broken:
            raise RuntimeError("throttled")
        return {"revision": {"revisionType": "x", self.revision_type: {"content": self.appspec}}}

    def describe_task_definition(self, **given: Any) -> Any:
        assert given == {"taskDefinition": NAME}
        return {"taskDefinition": self.task}

    def stop_deployment(self, *, deploymentId: str, autoRollbackEnabled: bool) -> None:  # noqa: N803 - AWS's names
        assert autoRollbackEnabled
        if self.ended:
            raise CompletedError
        self.stopped.append(deploymentId)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - AWS's name
        self.told += [{**each, "Detail": json.loads(each["Detail"])} for each in Entries]
        return {"FailedEntryCount": 0}


def registered(task: Task) -> Task:
    """Return a task definition as ECS describes it, with what it adds."""
    found = deepcopy(task)
    added = {"volumes": [], "revision": 7, "status": "ACTIVE", "taskDefinitionArn": NAME}
    for container in found["containerDefinitions"]:
        container["image"] = container["image"].replace("<IMAGE1_NAME>", f"{IMAGES}@{DIGEST}")
        container |= {"cpu": 0, "mountPoints": [], "volumesFrom": [], "systemControls": []}
    return {**found, **added, "placementConstraints": [], "enableFaultInjection": False}
