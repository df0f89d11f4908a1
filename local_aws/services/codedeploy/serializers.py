"""CodeDeploy's records in the API's shape."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from local_aws.services.codedeploy.deployment_config import DeploymentConfig
from local_aws.services.codedeploy.records import (
    Application,
    Deployment,
    DeploymentGroup,
    EcsTaskSet,
    LastDeploymentInfo,
    LifecycleEvent,
    Revision,
)
from local_aws.services.codedeploy.revisions import hide_content

# A target's status for a deployment's, where they differ.
_TARGET_STATUS = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"}
_SETTINGS_OF_A_DEPLOYMENT = ("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo")


class Diagnostics(TypedDict):
    """Diagnostics."""

    errorCode: str
    message: str


class LifecycleEventInfo(TypedDict):
    """LifecycleEvent."""

    lifecycleEventName: str
    status: str
    startTime: NotRequired[datetime]
    endTime: NotRequired[datetime]
    diagnostics: NotRequired[Diagnostics]


def describe_application(application: Application) -> dict[str, Any]:
    """Return ApplicationInfo."""
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created,
        "linkedToGitHub": False,
        "computePlatform": "ECS",
    }


def describe_revision(revision: Revision) -> dict[str, Any]:
    """Return GenericRevisionInfo."""
    return {
        "description": revision.description,
        "deploymentGroups": list(revision.groups),
        **_present(
            registerTime=revision.registered,
            firstUsedTime=revision.first_used,
            lastUsedTime=revision.last_used,
        ),
    }


def describe_config(config: DeploymentConfig) -> dict[str, Any]:
    """Return DeploymentConfigInfo."""
    return {
        "deploymentConfigId": config.id,
        "deploymentConfigName": config.name,
        "createTime": config.created,
        "computePlatform": "ECS",
        "trafficRoutingConfig": dict(config.routing),
    }


def describe_group(group: DeploymentGroup) -> dict[str, Any]:
    """Return DeploymentGroupInfo."""
    return {
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "computePlatform": "ECS",
        "outdatedInstancesStrategy": "UPDATE",
        **group.settings,
        **_present(
            lastAttemptedDeployment=group.last_attempted,
            lastSuccessfulDeployment=group.last_successful,
            targetRevision=_without_content(group.target_revision),
        ),
    }


def describe_lifecycle_event(event: LifecycleEvent) -> LifecycleEventInfo:
    """Return LifecycleEvent."""
    described: LifecycleEventInfo = {"lifecycleEventName": event.name, "status": event.status}
    if event.started:
        described["startTime"] = event.started
    if event.ended:
        described["endTime"] = event.ended
    if event.message:
        described["diagnostics"] = {"errorCode": "UnknownError", "message": event.message}
    return described


def describe_deployment(deployment: Deployment) -> dict[str, Any]:
    """Return DeploymentInfo."""
    settings = deployment.settings
    return {
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.group.name,
        "deploymentConfigName": deployment.config.name,
        "deploymentId": deployment.id,
        "revision": hide_content(deployment.revision),
        "status": deployment.status,
        "createTime": deployment.created,
        "creator": deployment.creator,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "deploymentOverview": _overview(deployment),
        "instanceTerminationWaitTimeStarted": deployment.termination_wait_started,
        "autoRollbackConfiguration": dict(deployment.auto_rollback) or {"enabled": False},
        "computePlatform": "ECS",
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        **{key: settings[key] for key in _SETTINGS_OF_A_DEPLOYMENT if key in settings},
        **_present(
            startTime=deployment.started,
            completeTime=deployment.completed,
            errorInformation=deployment.error,
            rollbackInfo=deployment.rollback,
            previousRevision=_without_content(deployment.previous),
            description=deployment.description or None,
            overrideAlarmConfiguration=deployment.override_alarms,
        ),
    }


def last_deployment(deployment: Deployment) -> LastDeploymentInfo:
    """Return LastDeploymentInfo."""
    described: LastDeploymentInfo = {
        "deploymentId": deployment.id,
        "status": deployment.status,
        "createTime": deployment.created,
    }
    if deployment.completed is not None:
        described["endTime"] = deployment.completed
    return described


def describe_target(deployment: Deployment) -> dict[str, Any]:
    """Return DeploymentTarget: the one ECS service."""
    events = deployment.events.values()
    moments = [moment for event in events for moment in (event.started, event.ended) if moment]
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": deployment.id,
            "targetId": deployment.target_id,
            "targetArn": deployment.service_arn,
            "lastUpdatedAt": max(moments, default=deployment.created),
            "lifecycleEvents": [describe_lifecycle_event(event) for event in events],
            "status": _target_status(deployment),
            "taskSetsInfo": list(deployment.task_sets),
        },
    }


def describe_task_set(task_set: Mapping[str, Any], group: str, weight: float, label: str) -> EcsTaskSet:
    """Return ECSTaskSet of a task set as ECS describes it."""
    return {
        "identifer": task_set["id"],
        "desiredCount": task_set["computedDesiredCount"],
        "pendingCount": task_set["pendingCount"],
        "runningCount": task_set["runningCount"],
        "status": task_set["status"],
        "trafficWeight": weight,
        "targetGroup": {"name": group},
        "taskSetLabel": label,
    }


def _target_status(deployment: Deployment) -> str:
    return _TARGET_STATUS.get(deployment.status, deployment.status)


def _overview(deployment: Deployment) -> dict[str, int]:
    counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
    counts[_target_status(deployment)] = 1
    return counts


def _without_content(location: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return hide_content(location) if location else None


def _present(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {key: value for key, value in values.items() if value is not None}
