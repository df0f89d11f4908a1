"""The state that ECS's operations share, with look-ups by name or ARN."""

import random
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from local_aws.containers.engine import ContainerEngine
from local_aws.core.api import CALLER, JsonService
from local_aws.core.context import Context
from local_aws.services.ecs import errors, serializers
from local_aws.services.ecs.limits import check_limits
from local_aws.services.ecs.members import check_members
from local_aws.services.ecs.records import EcsService, Task, TaskSet

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
        self.services: dict[str, EcsService] = {}
        self.tags: dict[str, dict[str, str]] = {}
        # The processes of each running task, by its ARN.
        self.processes: dict[str, list[int]] = {}
        # Set when local_aws stops: tasks end at once, without draining.
        self.ending = threading.Event()

    def _validate(self, operation: OperationModel, params: Params) -> None:
        super()._validate(operation, params)
        check_limits(operation.name, params)
        check_members(operation.name, params)

    def create_service_linked_role(self) -> None:
        """Create ECS's role, as each operation does that creates a cluster, or creates or updates a service.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
        """
        self.context.create_service_linked_role(self.context.account, "ecs.amazonaws.com", CALLER.get())

    def cluster(self, reference: str | None) -> dict[str, Any]:
        """Return an ACTIVE cluster; raises ClusterNotFoundException."""
        name = (reference or "default").rpartition("/")[2]
        found = self.clusters.get(name)
        if (reference or "").startswith("arn:") and reference != self.context.arn("ecs", f"cluster/{name}"):
            raise errors.cluster_not_found()
        if found is None or found["status"] != "ACTIVE":
            raise errors.cluster_not_found()
        return found

    def find_service(self, cluster: str | None, reference: str) -> EcsService:
        """Return a service of any status; raises ServiceNotFoundException."""
        name = reference.rpartition("/")[2]
        found = self.services.get(self._service_arn(self.cluster(cluster)["clusterName"], name))
        if found is None:
            raise errors.service_not_found()
        return found

    def active_service(self, cluster: str | None, reference: str) -> EcsService:
        """Return an ACTIVE service; raises ServiceNotActiveException as well."""
        found = self.find_service(cluster, reference)
        if not found.active:
            raise errors.service_not_active()
        return found

    def arn_of(self, kind: str, reference: str, *parents: str) -> str:
        """Return the ARN of a resource that a request names, or gives by its ARN already."""
        if reference.startswith("arn:"):
            return reference
        return self.context.arn("ecs", "/".join((kind, *parents, reference)))

    def _service_arn(self, cluster: str, name: str) -> str:
        return self.context.arn("ecs", f"service/{cluster}/{name}")

    def task_set(self, service: EcsService, reference: str) -> TaskSet:
        """Return a task set by id or ARN; raises TaskSetNotFoundException."""
        for task_set in service.task_sets:
            if reference in (task_set.id, task_set.content["taskSetArn"]):
                return task_set
        raise errors.task_set_not_found()

    def definition(self, reference: str) -> dict[str, Any]:
        """Return an ACTIVE task definition that something is to use."""
        found = self.find_definition(reference)
        if found is None:
            raise errors.client_error("TaskDefinition not found.")
        if found["status"] != "ACTIVE":
            raise errors.client_error("TaskDefinition is inactive")
        return found

    def find_definition(self, reference: str) -> dict[str, Any] | None:
        """Return a task definition by family (the newest ACTIVE one), `family:revision` or ARN."""
        name = reference.rpartition("task-definition/")[2]
        if ":" not in name:
            return next(reversed(self.revisions(name, "ACTIVE")), None)
        return self.definitions.get(name)

    def described_definition(self, reference: str) -> dict[str, Any]:
        """Return a task definition of any status, in whose absence AWS has words of their own."""
        found = self.find_definition(reference)
        if found is None:
            raise errors.client_error("Unable to describe task definition.")
        return found

    def revisions(self, family: str, status: str | None = None) -> list[dict[str, Any]]:
        """Return the revisions of a family, or those of one status, the newest last."""
        found = [
            definition
            for definition in self.definitions.values()
            if definition["family"] == family and status in (None, definition["status"])
        ]
        return sorted(found, key=lambda definition: int(definition["revision"]))

    def set_tags(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Set a new resource's tags."""
        self.tags[arn] = {tag["key"]: tag.get("value", "") for tag in tags}

    def tag_list(self, arn: str) -> list[serializers.Tag]:
        """Return a resource's tags as the API lists them."""
        return serializers.tag_list(self.tags.get(arn, {}))

    def emit_task(self, task: Task) -> None:
        """Send "ECS Task State Change"."""
        task.content["version"] += 1
        self.context.emit(
            "aws.ecs", "ECS Task State Change", [task.arn], serializers.with_iso_times(task.content)
        )

    def emit_service(self, service: EcsService, name: str, kind: str = "INFO") -> None:
        """Send "ECS Service Action"."""
        detail = {"eventType": kind, "eventName": name, "clusterArn": service.content["clusterArn"]}
        self.context.emit("aws.ecs", "ECS Service Action", [service.arn], detail)

    def wake_scheduler(self, task: Task) -> None:
        """Run the scheduler of a task's service at once."""
        if task.task_set is not None:
            service = self.services.get(task.task_set.content["serviceArn"])
            if service is not None:
                service.changed.set()

    def tasks_of(self, service: EcsService, task_set: TaskSet | None = None) -> list[Task]:
        """Return the tasks of a service, or of one of its task sets, that have not stopped."""
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
    """Return a new id in the format of task ids."""
    return uuid.uuid4().hex


def new_number() -> str:
    """Return a new number for a task set or deployment."""
    return str(random.randint(10**18, 10**19 - 1))  # noqa: S311 - a name, not a secret
