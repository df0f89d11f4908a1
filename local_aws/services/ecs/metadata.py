"""The task metadata endpoint, version 4, which a container finds by ECS_CONTAINER_METADATA_URI_V4.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
"""

from datetime import datetime
from typing import Any

from local_aws.services.ecs.fargate_validation import size
from local_aws.services.ecs.records import Task

# The gateway serves it here: 169.254.170.2 is no address of this machine.
PREFIX = "/_local_aws/task-metadata/"
VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"


def metadata_path(task: Task, container: str) -> str:
    """Return the path of a container's metadata."""
    return f"{PREFIX}{task.id}/{container}"


def metadata(task: Task, name: str, what: str) -> dict[str, Any] | None:
    """Return the metadata of a container, or of its task (`task`); None for any other path."""
    names = [container["name"] for container in task.content["containers"]]
    if name not in names or what not in ("", "task"):
        return None
    return _task(task, names) if what else _container(task, name)


def _task(task: Task, names: list[str]) -> dict[str, Any]:
    content, definition = task.content, task.definition
    return _without_none(
        {
            "Cluster": content["clusterArn"],
            "TaskARN": task.arn,
            "Family": definition["family"],
            "Revision": str(definition["revision"]),
            "DesiredStatus": content["desiredStatus"],
            "KnownStatus": task.status,
            "Limits": {
                "CPU": size(definition.get("cpu", "0")) / 1024,
                "Memory": size(definition.get("memory", "0")),
            },
            "PullStartedAt": _time(content.get("pullStartedAt")),
            "PullStoppedAt": _time(content.get("pullStoppedAt")),
            "AvailabilityZone": content.get("availabilityZone"),
            "LaunchType": "FARGATE",
            "Containers": [_container(task, name) for name in names],
        }
    )


def _container(task: Task, name: str) -> dict[str, Any]:
    content, definition = task.container(name), task.definition
    given = next(each for each in definition["containerDefinitions"] if each["name"] == name)
    return _without_none(
        {
            "DockerId": content.get("runtimeId"),
            "Name": name,
            "DockerName": name,
            "Image": given["image"],
            "ImageID": content.get("imageDigest"),
            "Labels": {
                "com.amazonaws.ecs.cluster": task.content["clusterArn"],
                "com.amazonaws.ecs.container-name": name,
                "com.amazonaws.ecs.task-arn": task.arn,
                "com.amazonaws.ecs.task-definition-family": definition["family"],
                "com.amazonaws.ecs.task-definition-version": str(definition["revision"]),
            },
            "DesiredStatus": task.content["desiredStatus"],
            "KnownStatus": content["lastStatus"],
            "Limits": {"CPU": given.get("cpu", 0), "Memory": given.get("memory")},
            "Type": "NORMAL",
            "ContainerARN": content.get("containerArn"),
            "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [task.address]}],
        }
    )


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
