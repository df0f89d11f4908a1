"""Elastic Container Service: clusters, task definitions, services and task sets, with tasks that run."""

from typing import ClassVar

from local_aws.core.api import Counts
from local_aws.core.cloudformation import ResourceType
from local_aws.services.ecs.clusters import ClusterOperations
from local_aws.services.ecs.resource_types import EcsResourceTypes
from local_aws.services.ecs.services import ServiceOperations
from local_aws.services.ecs.task_definitions import TaskDefinitionOperations
from local_aws.services.ecs.task_run import TaskRun
from local_aws.services.ecs.task_sets import TaskSetOperations


class Ecs(ClusterOperations, TaskDefinitionOperations, ServiceOperations, TaskSetOperations):
    """ECS of one account and region, on a container engine."""

    counts: ClassVar[Counts] = {
        "RegisterTaskDefinition": lambda own, params: len(own.revisions(params["family"])),
    }
    persisted = ("clusters", "definitions", "tasks", "services", "tags")

    def resume(self) -> None:
        """End the tasks of an earlier local_aws, which no longer run, and schedule the services."""
        for task in list(self.tasks.values()):
            if task.status != "STOPPED":
                TaskRun(self, task).end_lost_task()
        for service in list(self.services.values()):
            for task_set in service.task_sets:
                # A monotonic time of the earlier process has no meaning in this one.
                task_set.not_before = 0.0
            if service.content["status"] != "INACTIVE":
                self.schedule(service)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return the CloudFormation resource types."""
        return EcsResourceTypes(self).types()

    def stop(self) -> None:
        """Stop every task at once, without draining."""
        self.ending.set()
        with self.lock:
            for task in list(self.tasks.values()):
                task.request_stop("ServiceSchedulerInitiated", "local_aws stops")
        self.containers.stop()
