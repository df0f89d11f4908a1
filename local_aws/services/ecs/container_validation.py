"""What RegisterTaskDefinition refuses in a container, in AWS's words, and what local_aws does not run.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.containers.images.registry_client import Reference, is_ecr
from local_aws.core.api import AwsError
from local_aws.services.ecs.errors import client_error, unsupported

Params = Mapping[str, Any]

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
IMAGE = re.compile(r"[\w.:/@#-]{1,255}", re.ASCII)
LARGEST_PORT = 65535
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
HEALTH_CHECK = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
LEAST = {"cpu": 0, "memory": 6, "memoryReservation": 6}
HEALTH_COMMANDS = ("CMD", "CMD-SHELL", "NONE")
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
LOG_OPTIONS = ("awslogs-region", "awslogs-group")
MORE_LOG_OPTIONS = (
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-multiline-pattern",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
)
# What a container cannot have in awsvpc mode, and how AWS's message begins.
NOT_IN_AWSVPC = {
    "links": "Links are not supported",
    "hostname": "hostname is not supported on container",
    "disableNetworking": "Disable Networking is not supported on container",
    "dnsServers": "DNS servers are not supported on container",
    "dnsSearchDomains": "DNS search domains are not supported on container",
    "extraHosts": "Extra hosts are not supported on container",
}
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
    "ulimits",
    "systemControls",
)


def check_container(container: Params, params: Params) -> None:
    """Raise `AwsError` for the first of what is wrong with a container of a task definition."""
    fargate = "FARGATE" in params.get("requiresCompatibilities", [])
    needs_role = fargate and not params.get("executionRoleArn")
    _check_image(container.get("image"), needs_role=needs_role)
    if params.get("networkMode") == "awsvpc":
        _check_awsvpc(container)
    _check_ports(container)
    _check_memory(container, required="memory" not in params)
    _check_health(container)
    _check_dependencies(container, params)
    _check_numbers(container)
    _check_names(container, params)
    _check_logs(container.get("logConfiguration"), fargate=fargate, needs_role=needs_role)
    for name in UNSUPPORTED:
        if container.get(name):
            raise _not_run(name)


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


def _check_awsvpc(container: Params) -> None:
    for name, words in NOT_IN_AWSVPC.items():
        if container.get(name):
            raise client_error(f"{words} when networkMode=awsvpc.")
    for mapping in container.get("portMappings", []):
        if mapping.get("hostPort", 0) not in (0, mapping.get("containerPort")):
            raise client_error(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _check_ports(container: Params) -> None:
    for mapping in container.get("portMappings", []):
        if "containerPortRange" in mapping:
            raise _not_run("containerPortRange")
        if not 1 <= mapping.get("containerPort", 0) <= LARGEST_PORT:
            raise _invalid(container, f"The container port must be between 1 and {LARGEST_PORT}.")


def _check_memory(container: Params, *, required: bool) -> None:
    memory, reservation = container.get("memory"), container.get("memoryReservation")
    if required and memory is None and reservation is None:
        raise _invalid(container, "At least one of 'memory' or 'memoryReservation' must be specified.")
    if memory is not None and reservation is not None and memory < reservation:
        raise _invalid(container, "'memory' must be greater than or equal to 'memoryReservation'.")


def _check_health(container: Params) -> None:
    health = container.get("healthCheck")
    if health is None:
        return
    command = health.get("command", [])
    if not command or command[0] not in HEALTH_COMMANDS:
        raise _invalid(container, "The command of a health check begins with CMD or CMD-SHELL.")
    for name, (least, most) in HEALTH_CHECK.items():
        if not least <= health.get(name, least) <= most:
            raise _invalid(container, f"The {name} of a health check must be between {least} and {most}.")


def _check_numbers(container: Params) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
    for name, least in LEAST.items():
        if container.get(name, least) < least:
            raise _invalid(container, f"'{name}' must be at least {least}.")


def _check_names(container: Params, params: Params) -> None:
    """Refuse variables without a name, and volumes that the task definition does not have."""
    if not all(variable.get("name") for variable in container.get("environment", [])):
        raise _invalid(container, "The name of an environment variable must not be empty.")
    volumes = [volume.get("name") for volume in params.get("volumes", [])]
    for mount in container.get("mountPoints", []):
        if mount.get("sourceVolume") not in volumes:
            raise client_error(f"Unknown volume '{mount.get('sourceVolume')}'.")


def _check_dependencies(container: Params, params: Params) -> None:
    known = {each["name"] for each in params["containerDefinitions"]}
    for dependency in container.get("dependsOn", []):
        if dependency["containerName"] not in known:
            raise client_error(
                f"Cannot depend on container {dependency['containerName']} because it does not exist"
            )


def _check_logs(logs: Params | None, *, fargate: bool, needs_role: bool) -> None:
    if not logs:
        return
    if logs["logDriver"] != "awslogs":
        raise _not_run(f"log driver {logs['logDriver']}")
    if needs_role:
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        )
    options = logs.get("options", {})
    if missing := [name for name in LOG_OPTIONS if not options.get(name)]:
        raise client_error(f"Log driver awslogs requires options: {', '.join(missing)}")
    if unknown := sorted(options.keys() - {*LOG_OPTIONS, *MORE_LOG_OPTIONS}):
        raise client_error(f"Log driver awslogs disallows options: {', '.join(unknown)}")
    if fargate and not options.get("awslogs-stream-prefix"):
        raise client_error("Fargate requires log configuration options to include awslogs-stream-prefix.")


def _invalid(container: Params, reason: str) -> AwsError:
    return client_error(f"Invalid setting for container '{container['name']}'. {reason}")


def _not_run(name: str) -> AwsError:
    return unsupported(f"local_aws does not run tasks with {name}")
