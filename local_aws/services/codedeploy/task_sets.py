"""The task sets of a deployment's ECS service, seen through the ECS API."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codedeploy.appspec import AppSpec
from local_aws.services.codedeploy.errors import DeploymentEndedError

TaskSet = Mapping[str, Any]


class TaskSets:
    """One ECS service under the CODE_DEPLOY controller."""

    def __init__(self, ecs: Any, cluster: str, service: str) -> None:
        self.ecs = ecs
        self.cluster = cluster
        self.service = service

    def describe_service(self) -> Mapping[str, Any]:
        """Return the service; end the deployment when it is gone."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.service])["services"]
        if not found or found[0].get("status") != "ACTIVE":
            text = f"The ECS service {self.service} in cluster {self.cluster} is not active."
            raise DeploymentEndedError("INVALID_ECS_SERVICE", text)
        service: Mapping[str, Any] = found[0]
        return service

    def all(self) -> list[TaskSet]:
        """Return the service's task sets."""
        return list(self.describe_service().get("taskSets", []))

    def primary(self) -> TaskSet:
        """Return the task set that serves production."""
        for task_set in self.all():
            if task_set["status"] == "PRIMARY":
                return task_set
        text = f"The ECS service {self.service} has no primary task set."
        raise DeploymentEndedError("INVALID_ECS_SERVICE", text)

    def find(self, task_set: str) -> TaskSet | None:
        """Return the task set of an id, None when it is gone."""
        return next((item for item in self.all() if item["id"] == task_set), None)

    def create(self, deployment: str, spec: AppSpec, target_group: str, blue: TaskSet) -> str:
        """Create the replacement: what the AppSpec leaves open is as in `blue`. Return its id."""
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
        network = spec.network_configuration or blue.get("networkConfiguration")
        if network:
            given["networkConfiguration"] = network
        version = spec.platform_version or blue.get("platformVersion")
        if version:
            given["platformVersion"] = version
        if spec.capacity_provider_strategy:
            given["capacityProviderStrategy"] = list(spec.capacity_provider_strategy)
        elif blue.get("capacityProviderStrategy"):
            given["capacityProviderStrategy"] = blue["capacityProviderStrategy"]
        elif blue.get("launchType"):
            given["launchType"] = blue["launchType"]
        if blue.get("serviceRegistries"):
            given["serviceRegistries"] = blue["serviceRegistries"]
        return str(self.ecs.create_task_set(**given)["taskSet"]["id"])

    def make_primary(self, task_set: str) -> None:
        """Make a task set the service's primary one."""
        self.ecs.update_service_primary_task_set(
            cluster=self.cluster, service=self.service, primaryTaskSet=task_set
        )

    def delete(self, task_set: str) -> None:
        """Ask for a task set's end: ECS drains and stops its tasks."""
        try:
            self.ecs.delete_task_set(cluster=self.cluster, service=self.service, taskSet=task_set, force=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TaskSetNotFoundException":
                raise


def target_group(task_set: TaskSet) -> str:
    """Return the ARN of the target group a task set registers its tasks with."""
    return str(task_set["loadBalancers"][0]["targetGroupArn"])


def describe(item: TaskSet, group: str, share: float, label: str) -> dict[str, Any]:
    """Return a task set as CodeDeploy's ECSTaskSet (`identifer` is AWS's own spelling)."""
    return {
        "identifer": item["id"],
        "desiredCount": item["computedDesiredCount"],
        "pendingCount": item["pendingCount"],
        "runningCount": item["runningCount"],
        "status": item["status"],
        "trafficWeight": share,
        "targetGroup": {"name": group},
        "taskSetLabel": label,
    }
