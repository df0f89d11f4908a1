"""The state that ECS's operations share, and how they find things by name or ARN."""

import random
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.containers.engine import ContainerEngine
from local_aws.core.api import AwsError, JsonService
from local_aws.core.context import Context
from local_aws.services.ecs.records import Service, Task, TaskSet, iso
from local_aws.services.ecs.targets import require_load_balancer

Params = Mapping[str, Any]


class EcsState(JsonService):
    """Clusters by name, task definitions by `family:revision`, tasks and services by ARN."""

    service = "ecs"

    def __init__(self, context: Context, containers: ContainerEngine) -> None:
        super().__init__(context)
        self.containers = containers
        self.clusters: dict[str, dict[str, Any]] = {}
        self.definitions: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, Task] = {}
        self.services: dict[str, Service] = {}
        self.tags: dict[str, dict[str, str]] = {}
        # Set when local_aws stops: nobody waits for connections or for a polite end any more.
        self.ending = threading.Event()

    def cluster(self, reference: str | None) -> dict[str, Any]:
        """Return an ACTIVE cluster; raises ClusterNotFoundException."""
        found = self.clusters.get((reference or "default").rpartition("/")[2])
        if found is None or found["status"] != "ACTIVE":
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return found

    def find_service(self, cluster: str | None, reference: str) -> Service:
        """Return a service of any status; raises ServiceNotFoundException."""
        name = reference.rpartition("/")[2]
        found = self.services.get(self._service_arn(self.cluster(cluster)["clusterName"], name))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return found

    def active_service(self, cluster: str | None, reference: str) -> Service:
        """Return an ACTIVE service; raises ServiceNotActiveException as well."""
        found = self.find_service(cluster, reference)
        if not found.active:
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def _service_arn(self, cluster: str, name: str) -> str:
        return self.context.arn("ecs", f"service/{cluster}/{name}")

    def task_set(self, service: Service, reference: str) -> TaskSet:
        """Return a task set by id or ARN; raises TaskSetNotFoundException."""
        for one in service.task_sets:
            if reference in (one.id, one.content["taskSetArn"]):
                return one
        raise AwsError("TaskSetNotFoundException", "The specified task set was not found.")

    def definition(self, reference: str, *, active: bool = True) -> dict[str, Any]:
        """Return a task definition by family (the newest ACTIVE one), `family:revision` or ARN."""
        name = reference.rpartition("task-definition/")[2]
        if ":" not in name:
            revisions = [one for one in self.definitions.values() if one["family"] == name]
            living = [one for one in revisions if one["status"] == "ACTIVE"]
            if not living:
                raise AwsError("ClientException", "Unable to describe task definition.")
            return max(living, key=lambda one: int(one["revision"]))
        found = self.definitions.get(name)
        if found is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        if active and found["status"] != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return found

    def fitting_definition(self, params: Params) -> dict[str, Any]:
        """Return the task definition that `params` name; raise `AwsError` unless they fit it."""
        definition = self.definition(params["taskDefinition"])
        if definition["networkMode"] == "awsvpc" and "networkConfiguration" not in params:
            raise AwsError(
                "InvalidParameterException",
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            )
        self.check_balancers(definition, params.get("loadBalancers", []))
        return definition

    def check_balancers(self, definition: Params, balancers: list[dict[str, Any]]) -> None:
        """Raise `AwsError` unless `definition` has each load balancer's container and port (pitfall B2)."""
        containers = {one["name"]: one for one in definition["containerDefinitions"]}
        for one in balancers:
            name, port = one.get("containerName"), one.get("containerPort")
            if name not in containers:
                raise AwsError(
                    "InvalidParameterException",
                    f"The container {name} does not exist in the task definition.",
                )
            if port not in [mapping["containerPort"] for mapping in containers[name]["portMappings"]]:
                raise AwsError(
                    "InvalidParameterException",
                    f"The container {name} did not have a container port {port} defined.",
                )
        require_load_balancer(self.context, balancers)

    def set_tags(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Keep a new resource's tags."""
        self.tags[arn] = {tag["key"]: tag.get("value", "") for tag in tags}

    def tag_list(self, arn: str) -> list[dict[str, str]]:
        """Return a resource's tags as the API lists them."""
        return [{"key": key, "value": value} for key, value in self.tags.get(arn, {}).items()]

    def emit_task(self, task: Task) -> None:
        """Send "ECS Task State Change"."""
        task.content["version"] += 1
        self.context.emit("aws.ecs", "ECS Task State Change", [task.arn], iso(task.content))

    def emit_service(self, service: Service, name: str, kind: str = "INFO") -> None:
        """Send "ECS Service Action"."""
        detail = {"eventType": kind, "eventName": name, "clusterArn": service.content["clusterArn"]}
        self.context.emit("aws.ecs", "ECS Service Action", [service.arn], detail)

    def wake(self, task: Task) -> None:
        """Let the scheduler of a task's service look at once."""
        if task.task_set is not None:
            service = self.services.get(task.task_set.content["serviceArn"])
            if service is not None:
                service.changed.set()

    def tasks_of(self, service: Service, task_set: TaskSet | None = None) -> list[Task]:
        """Return the tasks of a service (of one of its task sets) that have not ended."""
        group = f"service:{service.name}"
        return [
            task
            for task in list(self.tasks.values())
            if task.status != "STOPPED"
            and task.content["group"] == group
            and task.content["clusterArn"] == service.content["clusterArn"]
            and (task_set is None or task.task_set is task_set)
        ]


def new_id() -> str:
    """Return an id as tasks have it."""
    return uuid.uuid4().hex


def new_number() -> str:
    """Return the number of a task set or deployment."""
    return str(random.randint(10**18, 10**19 - 1))  # noqa: S311 - a name, not a secret
