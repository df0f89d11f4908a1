"""What ECS checks before it takes a task definition for Fargate, and what the local engine cannot run."""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.containers.images.registry_client import Reference, is_ecr
from local_aws.core.api import AwsError

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
# Settings that would change what happens, and that nothing here acts on.
NOT_RUN = (
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


def check(params: Mapping[str, Any]) -> None:
    """Raise `AwsError` for what RegisterTaskDefinition refuses."""
    containers = params["containerDefinitions"]
    if not containers:
        raise _refusal("Container list cannot be empty.")
    names = [one.get("name") for one in containers]
    if len(set(names)) != len(names) or not all(names):
        raise _refusal("Container.name contains invalid characters or is not unique.")
    if not any(one.get("essential", True) for one in containers):
        raise _refusal("At least one container in a task definition should be essential.")
    if "FARGATE" in params.get("requiresCompatibilities", []):
        _check_fargate(params)
    for container in containers:
        _check_container(container, params)
    if params.get("volumes"):
        raise _not_run("volumes")


def _check_fargate(params: Mapping[str, Any]) -> None:
    if params.get("networkMode") != "awsvpc":
        raise _refusal("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's own quotes
    for name in ("cpu", "memory"):
        if name not in params:
            raise _refusal(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = size(params["cpu"]), size(params["memory"])
    if memory not in FARGATE.get(cpu, ()):
        raise _refusal(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )


def size(text: str) -> int:
    """Return a task's CPU in units of 1/1024 vCPU, or its memory in MiB; raises `AwsError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(vCPU|GB)?", str(text).strip(), re.IGNORECASE)
    if match is None:
        raise _refusal(f"Invalid 'cpu' or 'memory' setting for task: {text}")
    return int(float(match[1]) * (1024 if match[2] else 1))


def _check_container(container: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    for name in NOT_RUN:
        if container.get(name):
            raise _not_run(name)
    _check_image(container.get("image"))
    fargate = "FARGATE" in params.get("requiresCompatibilities", [])
    role = params.get("executionRoleArn")
    if fargate and not role and is_ecr(Reference.parse(container["image"]).host):
        raise _refusal("Fargate requires task definition to have execution role ARN to support ECR images.")
    logs = container.get("logConfiguration", {})
    if logs and logs["logDriver"] != "awslogs":
        raise _not_run(f"log driver {logs['logDriver']}")
    if fargate and logs and not role:
        raise _refusal(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        )
    if fargate and container.get("stopTimeout", 0) > 120:
        raise _refusal("The stopTimeout value must be between 2 and 120 seconds for Fargate tasks.")
    for mapping in container.get("portMappings", []):
        if mapping.get("hostPort", 0) not in (0, mapping["containerPort"]):
            raise _refusal(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _check_image(image: str | None) -> None:
    """Refuse what names no image, as a placeholder that nobody filled (pitfall D2)."""
    if not image:
        raise _refusal("Container.image should not be null or empty.")
    if not IMAGE.fullmatch(image):
        raise _refusal("Container.image contains invalid characters.")


def _refusal(message: str) -> AwsError:
    return AwsError("ClientException", message)


def _not_run(name: str) -> AwsError:
    return AwsError("UnsupportedOperation", f"local_aws does not run tasks with {name}", 501)
