"""Elastic Container Service: clusters, task definitions, tasks that truly run, services and task sets."""

from typing import Any

from local_aws.cloudformation import ResourceType
from local_aws.ecs_clusters import ClusterOperations
from local_aws.ecs_records import Service
from local_aws.ecs_scheduler import Scheduler
from local_aws.ecs_services import ServiceOperations
from local_aws.ecs_task_definitions import TaskDefinitionOperations
from local_aws.ecs_task_sets import TaskSetOperations
from local_aws.ecs_tasks import TaskOperations
from local_aws.ecs_types import EcsTypes


class Ecs(ClusterOperations, TaskDefinitionOperations, TaskOperations, ServiceOperations, TaskSetOperations):
    """ECS of one account and region, on a container engine."""

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
