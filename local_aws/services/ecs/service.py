"""Elastic Container Service: clusters, task definitions, tasks that truly run, services and task sets."""

from typing import Any

from local_aws.core.cloudformation import ResourceType
from local_aws.services.ecs.clusters import ClusterOperations
from local_aws.services.ecs.records import Service
from local_aws.services.ecs.resource_types import EcsTypes
from local_aws.services.ecs.scheduler import Scheduler
from local_aws.services.ecs.services import ServiceOperations
from local_aws.services.ecs.task_definitions import TaskDefinitionOperations
from local_aws.services.ecs.task_run import TaskRun
from local_aws.services.ecs.task_sets import TaskSetOperations
from local_aws.services.ecs.tasks import TaskOperations


class Ecs(ClusterOperations, TaskDefinitionOperations, TaskOperations, ServiceOperations, TaskSetOperations):
    """ECS of one account and region, on a container engine."""

    persisted = ("clusters", "definitions", "tasks", "services", "tags")

    def resume(self) -> None:
        """Let the services start tasks anew: none of an earlier local_aws lives."""
        for task in list(self.tasks.values()):
            if task.status != "STOPPED":
                TaskRun(self, task).lose()
        for service in list(self.services.values()):
            for task_set in service.task_sets:
                # Of the clock of another start of this machine.
                task_set.not_before = 0.0
            if service.content["status"] != "INACTIVE":
                self.schedule(service)

    def schedule(self, service: Service) -> None:
        """Let a service's scheduler run."""
        scheduler = Scheduler(self, service)
        self.context.spawn(f"scheduler-{service.name}", scheduler.run)

    def resource_types(self) -> dict[str, ResourceType]:
        """Offer AWS::ECS types to CloudFormation."""
        return EcsTypes(self).types()

    def stop(self) -> None:
        """End every task at once, without drain."""
        self.ending.set()
        with self.lock:
            tasks: list[Any] = list(self.tasks.values())
            for task in tasks:
                task.ask_to_stop("ServiceSchedulerInitiated", "local_aws stops")
        self.containers.stop()
