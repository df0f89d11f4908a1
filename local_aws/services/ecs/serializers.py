"""ECS's records in the shape of its API and of its events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from local_aws.services.ecs.records import STARTING, EcsService, Task, TaskSet

_DEPLOYMENT_KEYS = (
    *("id", "status", "taskDefinition", "pendingCount", "runningCount", "createdAt", "updatedAt"),
    *("launchType", "networkConfiguration"),
)


class Tag(TypedDict):
    """Tag."""

    key: str
    value: str


class EcsFailure(TypedDict):
    """Failure: a resource that could not be described."""

    arn: str
    reason: str


def missing(arn: str) -> EcsFailure:
    """Return the failure of a resource that does not exist."""
    return {"arn": arn, "reason": "MISSING"}


def tag_list(tags: Mapping[str, str]) -> list[Tag]:
    """Return tags as the API lists them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def describe_cluster(
    cluster: Mapping[str, Any],
    tasks: Iterable[Task],
    services: Iterable[EcsService],
    tags: Sequence[Tag],
) -> dict[str, Any]:
    """Return a cluster as DescribeClusters shows it; `tasks` and `services` are the cluster's."""
    statuses = [task.status for task in tasks]
    return {
        **cluster,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": statuses.count("RUNNING"),
        "pendingTasksCount": sum(status in STARTING for status in statuses),
        "activeServicesCount": sum(service.active for service in services),
        "tags": list(tags),
    }


def describe_service(service: EcsService, tasks: Sequence[Task]) -> dict[str, Any]:
    """Return a service as DescribeServices shows it; `tasks` are those of it that have not stopped."""
    description: dict[str, Any] = {
        **service.content,
        "runningCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingCount": sum(task.status in STARTING for task in tasks),
        "events": service.events,
        "deployments": [],
    }
    if service.controller == "ECS":
        description["deployments"] = [_deployment(task_set) for task_set in service.task_sets]
    else:
        description["taskSets"] = [dict(task_set.content) for task_set in service.task_sets]
    return description


def _deployment(task_set: TaskSet) -> dict[str, Any]:
    content = task_set.content
    return {
        **{key: content[key] for key in _DEPLOYMENT_KEYS if key in content},
        "desiredCount": content["computedDesiredCount"],
        "rolloutState": "COMPLETED" if task_set.steady else "IN_PROGRESS",
    }


def with_iso_times(content: Any) -> Any:
    """Return a description with its times as ISO 8601 strings, as events have them."""
    if isinstance(content, dict):
        return {key: with_iso_times(value) for key, value in content.items()}
    if isinstance(content, list):
        return [with_iso_times(value) for value in content]
    return content.isoformat() if isinstance(content, datetime) else content
