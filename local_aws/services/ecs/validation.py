"""What ECS checks in requests, in AWS's words, and what local_aws cannot run."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local_aws.containers.images.registry_client import Reference, is_ecr
from local_aws.core.api import AwsError
from local_aws.core.context import Context
from local_aws.services.ecs.errors import client_error, invalid_parameter, unsupported
from local_aws.services.ecs.records import EcsService

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html (CPU units: MiB)
FARGATE: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
IMAGE = re.compile(r"[\w.:/@#-]{1,255}", re.ASCII)
# What only a deployment can change with the CODE_DEPLOY controller, and its name in AWS's message.
CHANGED_BY_DEPLOYMENT = {
    "taskDefinition": "task definition",
    "networkConfiguration": "network parameters",
    "loadBalancers": "load balancers",
    "platformVersion": "platform version",
}
_CODE_DEPLOY = (
    "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
)
# Settings of a container that have no effect in local_aws.
UNSUPPORTED = (
    "dependsOn",
    "mountPoints",
    "volumesFrom",
    "firelensConfiguration",
    "environmentFiles",
    "repositoryCredentials",
    "resourceRequirements",
    "credentialSpecs",
    "restartPolicy",
    "links",
    "extraHosts",
)


def check_task_definition(params: Mapping[str, Any]) -> None:
    """Raise `AwsError` for what RegisterTaskDefinition refuses."""
    containers = params["containerDefinitions"]
    if not containers:
        raise client_error("Container list cannot be empty.")
    names = [container.get("name") for container in containers]
    if len(set(names)) != len(names) or not all(names):
        raise client_error("Container.name contains invalid characters or is not unique.")
    if not any(container.get("essential", True) for container in containers):
        raise client_error("At least one container in a task definition should be essential.")
    if "FARGATE" in params.get("requiresCompatibilities", []):
        _check_fargate(params)
    for container in containers:
        _check_container(container, params)
    if params.get("volumes"):
        raise _not_run("volumes")


def _check_fargate(params: Mapping[str, Any]) -> None:
    if params.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's own quotes
    for name in ("cpu", "memory"):
        if name not in params:
            raise client_error(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = size(params["cpu"]), size(params["memory"])
    if memory not in FARGATE.get(cpu, ()):
        raise client_error(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )


def size(text: str) -> int:
    """Return a task's CPU in units of 1/1024 vCPU, or its memory in MiB; raises `AwsError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(vCPU|GB)?", str(text).strip(), re.IGNORECASE)
    if match is None:
        raise client_error(f"Invalid 'cpu' or 'memory' setting for task: {text}")
    return int(float(match[1]) * (1024 if match[2] else 1))


def _check_container(container: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    for name in UNSUPPORTED:
        if container.get(name):
            raise _not_run(name)
    fargate = "FARGATE" in params.get("requiresCompatibilities", [])
    needs_role = fargate and not params.get("executionRoleArn")
    _check_image(container.get("image"), needs_role=needs_role)
    _check_logs(container.get("logConfiguration"), needs_role=needs_role)
    if fargate and container.get("stopTimeout", 0) > 120:
        raise client_error("The stopTimeout value must be between 2 and 120 seconds for Fargate tasks.")
    for mapping in container.get("portMappings", []):
        if mapping.get("hostPort", 0) not in (0, mapping["containerPort"]):
            raise client_error(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _check_image(image: str | None, *, needs_role: bool) -> None:
    """Refuse what is not an image's name, as a placeholder that was not replaced (pitfall D2)."""
    if not image:
        raise client_error("Container.image should not be null or empty.")
    if not IMAGE.fullmatch(image):
        raise client_error("Container.image contains invalid characters.")
    if needs_role and is_ecr(Reference.parse(image).host):
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support ECR images."
        )


def _check_logs(logs: Mapping[str, Any] | None, *, needs_role: bool) -> None:
    if not logs:
        return
    if logs["logDriver"] != "awslogs":
        raise _not_run(f"log driver {logs['logDriver']}")
    if needs_role:
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        )


def _not_run(name: str) -> AwsError:
    return unsupported(f"local_aws does not run tasks with {name}")


def check_network(definition: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse parameters without the network configuration that a task definition needs."""
    if definition["networkMode"] == "awsvpc" and "networkConfiguration" not in params:
        raise invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )


def check_balancers(
    context: Context, definition: Mapping[str, Any], balancers: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse load balancers whose container, port or target group does not fit (pitfalls B2 and B7)."""
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    for balancer in balancers:
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in containers:
            raise invalid_parameter(f"The container {name} does not exist in the task definition.")
        if port not in [mapping["containerPort"] for mapping in containers[name]["portMappings"]]:
            raise invalid_parameter(f"The container {name} did not have a container port {port} defined.")
    for balancer in balancers:
        _check_target_group(context, balancer["targetGroupArn"])


def _check_target_group(context: Context, arn: str) -> None:
    try:
        group = context.client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    except ClientError as error:
        raise invalid_parameter(f"The target group with targetGroupArn {arn} does not exist.") from error
    if not group.get("LoadBalancerArns"):
        raise invalid_parameter(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )


def check_update(params: Mapping[str, Any]) -> None:
    """Refuse an update that only a deployment of CodeDeploy can make (pitfalls C1 and C2)."""
    for key, name in CHANGED_BY_DEPLOYMENT.items():
        if key in params:
            raise invalid_parameter(f"Unable to update {name} {_CODE_DEPLOY}")
    if params.get("forceNewDeployment"):
        raise invalid_parameter(f"Cannot force a new deployment {_CODE_DEPLOY}")


def check_deletion(service: EcsService, *, force: bool) -> None:
    """Refuse to delete a service that is scaled above 0 or has deployments, unless with `force`."""
    if force:
        return
    if service.content["desiredCount"] > 0 and service.content["schedulingStrategy"] == "REPLICA":
        raise invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    if len([task_set for task_set in service.task_sets if not task_set.draining]) > 1:
        raise invalid_parameter("The service cannot be stopped while deployments are active.")
