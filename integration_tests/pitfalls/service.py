"""The synthesized service and deployment group without a pipeline: the tests call CodeDeploy themselves."""

import json
from collections.abc import Mapping
from typing import Any

import requests

from harness.cloud import Cloud
from harness.stacks import Stack
from harness.synthesized_app import Resources, synthesized
from operations.waiting import NotYetError, wait_for

ENDED = ("Succeeded", "Failed", "Stopped")
LISTENERS = ("NetworkLoadBalancerProduction", "NetworkLoadBalancerTest")


def service(cloud: Cloud) -> Resources:
    """Return the synthesized resources of the service, and those that CodeDeploy needs to deploy to it."""
    return synthesized(cloud).part(
        "ComputeTask",
        "ComputeServiceService",
        "PipelineDeploymentGroup",
        "PipelineNoHealthyTask",
        *LISTENERS,
    )


class BlueGreenService:
    """The synthesized service in `stack`; `resources` are its template."""

    def __init__(self, stack: Stack, resources: Resources) -> None:
        self.stack = stack
        self.resources = resources
        self.cloud: Cloud = stack.cloud
        self.group = {
            "applicationName": stack.physical_name("application-the-suffix"),
            "deploymentGroupName": stack.physical_name("deployment-group-the-suffix"),
        }
        self.names = {
            "cluster": stack.physical_name("cluster-the-suffix"),
            "service": stack.physical_name("service-the-suffix"),
        }

    def described(self) -> dict[str, Any]:
        """Return the service, as DescribeServices returns it."""
        ecs = self.cloud.client("ecs")
        found = ecs.describe_services(cluster=self.names["cluster"], services=[self.names["service"]])
        one: dict[str, Any] = found["services"][0]
        return one

    def served_definition(self) -> str:
        """Return the task definition of the PRIMARY task set."""
        (primary,) = [one for one in self.described()["taskSets"] if one["status"] == "PRIMARY"]
        return str(primary["taskDefinition"])

    def alarms(self) -> list[str]:
        """Return the alarms of the deployment group."""
        found = self.cloud.client("codedeploy").get_deployment_group(**self.group)["deploymentGroupInfo"]
        return [alarm["name"] for alarm in found["alarmConfiguration"]["alarms"]]

    def status(self, headers: Mapping[str, str] | None = None) -> int:
        """Send one request to the production listener; return the status."""
        name = self.stack.physical_name("load-balancer-the-suffix")
        (balancer,) = self.cloud.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"]
        url = self.cloud.resolve(f"http://{balancer['DNSName']}")
        return requests.get(url, headers=headers, timeout=10).status_code

    def revision(self) -> str:
        """Register the served task definition again, as a release does; return its ARN."""
        ecs = self.cloud.client("ecs")
        described = ecs.describe_task_definition(taskDefinition=self.served_definition())["taskDefinition"]
        fields = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions")
        sizes = ("requiresCompatibilities", "cpu", "memory", "runtimePlatform")
        definition = {key: described[key] for key in (*fields, *sizes)}
        return str(ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])

    def release(self, container: str = "app", port: int = 8080) -> dict[str, Any]:
        """Deploy another revision; return the deployment once it has ended."""
        codedeploy = self.cloud.client("codedeploy")
        load_balancer = {"ContainerName": container, "ContainerPort": port}
        properties = {"TaskDefinition": self.revision(), "LoadBalancerInfo": load_balancer}
        target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
        content = {"content": json.dumps({"version": 0.0, "Resources": [target]})}
        revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
        deployment = codedeploy.create_deployment(**self.group, revision=revision)["deploymentId"]

        def look() -> dict[str, Any]:
            found: dict[str, Any] = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
            if found["status"] not in ENDED:
                raise NotYetError(found["status"])
            return found

        return wait_for(f"deployment {deployment}", look, deadline=self.cloud.minutes(45), interval=0.2)

    def update(self, changes: Mapping[str, Mapping[str, Any]]) -> str:
        """Update properties of the template's resources; return the stack's final status."""
        changed = {
            name: {**one, "Properties": {**one["Properties"], **changes.get(name, {})}}
            for name, one in self.resources.items()
        }
        return self.stack.update({"Resources": changed})
