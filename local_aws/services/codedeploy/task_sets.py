"""The task sets of a deployment's ECS service, by calls of the ECS API."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codedeploy.appspec import AppSpec
from local_aws.services.codedeploy.errors import DeploymentEndedError

# A task set as ECS describes it.
TaskSetDescription = Mapping[str, Any]


class TaskSets:
    """One ECS service under the CODE_DEPLOY controller."""

    def __init__(self, ecs: Any, cluster: str, service: str) -> None:
        self.ecs = ecs
        self.cluster = cluster
        self.service = service

    def describe_service(self) -> Mapping[str, Any]:
        """Return the service; end the deployment when the service is not active."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.service])["services"]
        if not found or found[0].get("status") != "ACTIVE":
            text = f"The ECS service {self.service} in cluster {self.cluster} is not active."
            raise DeploymentEndedError("INVALID_ECS_SERVICE", text)
        service: Mapping[str, Any] = found[0]
        return service

    def all(self) -> list[TaskSetDescription]:
        """Return the service's task sets."""
        return list(self.describe_service().get("taskSets", []))

    def primary(self) -> TaskSetDescription:
        """Return the task set that serves production."""
        for task_set in self.all():
            if task_set["status"] == "PRIMARY":
                return task_set
        text = f"The ECS service {self.service} has no primary task set."
        raise DeploymentEndedError("INVALID_ECS_SERVICE", text)

    def create(self, deployment: str, spec: AppSpec, target_group: str, blue: TaskSetDescription) -> str:
        """Create the replacement, with what the AppSpec omits taken from `blue`. Return its id."""
        balancer = {
            "targetGroupArn": target_group,
            "containerName": spec.container_name,
            "containerPort": spec.container_port,
        }
        given: dict[str, Any] = {
            "cluster": self.cluster,
            "service": self.service,
            "externalId": deployment,
            "taskDefinition": spec.task_definition,
            "loadBalancers": [balancer],
            "scale": {"value": 100.0, "unit": "PERCENT"},
        }
        given |= _optional(spec, blue)
        return str(self.ecs.create_task_set(**given)["taskSet"]["id"])

    def make_primary(self, task_set: str) -> None:
        """Make a task set the service's primary one."""
        self.ecs.update_service_primary_task_set(
            cluster=self.cluster, service=self.service, primaryTaskSet=task_set
        )

    def delete(self, task_set: str) -> None:
        """Delete a task set: ECS drains and stops its tasks."""
        try:
            self.ecs.delete_task_set(cluster=self.cluster, service=self.service, taskSet=task_set, force=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TaskSetNotFoundException":
                raise


def target_group(task_set: TaskSetDescription) -> str:
    """Return the ARN of the target group a task set registers its tasks with."""
    return str(task_set["loadBalancers"][0]["targetGroupArn"])


def _optional(spec: AppSpec, blue: TaskSetDescription) -> dict[str, Any]:
    """Return the optional settings of a replacement: the AppSpec's, else those of `blue`."""
    strategy = list(spec.capacity_provider_strategy) or blue.get("capacityProviderStrategy")
    settings = {
        "networkConfiguration": spec.network_configuration or blue.get("networkConfiguration"),
        "platformVersion": spec.platform_version or blue.get("platformVersion"),
        "capacityProviderStrategy": strategy,
        # ECS accepts either of the two.
        "launchType": None if strategy else blue.get("launchType"),
        "serviceRegistries": blue.get("serviceRegistries"),
    }
    return {name: value for name, value in settings.items() if value}
