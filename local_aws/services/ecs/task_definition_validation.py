"""What RegisterTaskDefinition refuses, in AWS's words, and what local_aws does not run.

The rules: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
Where it does not quote AWS's message, the message is one that people report in public issues, or our own.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_aws.services.ecs.container_validation import NAME, check_container
from local_aws.services.ecs.errors import client_error, unsupported
from local_aws.services.ecs.fargate_validation import check_fargate

Params = Mapping[str, Any]

MOST_CONTAINERS = 10
ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
LARGEST = 65536
# What local_aws runs: Linux images of this machine's processor.
PLATFORM = {"cpuArchitecture": ("X86_64",), "operatingSystemFamily": ("LINUX",)}
# Settings of a task definition that have no effect in local_aws.
UNSUPPORTED = (
    "volumes",
    "proxyConfiguration",
    "inferenceAccelerators",
    "pidMode",
    "ipcMode",
    "enableFaultInjection",
)


def check_task_definition(params: Params) -> None:
    """Raise `AwsError` for what RegisterTaskDefinition refuses."""
    containers = params["containerDefinitions"]
    # The words: awsdocs/amazon-ecs-developer-guide#149.
    if (length := len(json.dumps(params, default=str))) > LARGEST:
        raise client_error(f"Actual length: '{length}'. Max allowed length is '{LARGEST}' bytes.")
    _check_names(params["family"], containers)
    if not any(container.get("essential", True) for container in containers):
        raise client_error("Task definition does not have any essential container.")
    _check_roles(params)
    if "FARGATE" in params.get("requiresCompatibilities", []):
        check_fargate(params)
    for container in containers:
        check_container(container, params)
    _check_ports(params, containers)
    _check_secrets(containers)
    for violation in _not_run(params):
        raise unsupported(f"local_aws does not run tasks with {violation}")


def _check_names(family: str, containers: Sequence[Params]) -> None:
    if not NAME.fullmatch(family):
        raise client_error("Family contains invalid characters.")
    if not containers:
        raise client_error("Container list cannot be empty.")
    if len(containers) > MOST_CONTAINERS:
        raise client_error("Too many containers.")
    names = [container.get("name", "") for container in containers]
    if not all(names):
        raise client_error("Container.name should not be null or empty.")
    if not all(map(NAME.fullmatch, names)):
        raise client_error("Container.name contains invalid characters.")
    if len(set(names)) != len(names):
        raise client_error("Container names must be unique within a task definition.")


def _check_roles(params: Params) -> None:
    for key in ("taskRoleArn", "executionRoleArn"):
        if key in params and not ROLE.fullmatch(params[key]):
            raise client_error("Role is not valid")
    if "executionRoleArn" not in params and any(
        each.get("secrets") for each in params["containerDefinitions"]
    ):
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )


def _check_secrets(containers: Sequence[Params]) -> None:
    """Refuse a variable with two values."""
    for container in containers:
        secrets = [one["name"] for one in container.get("secrets", [])]
        count = Counter([*secrets, *{one["name"] for one in container.get("environment", [])}])
        if shared := [name for name in secrets if count[name] > 1]:
            raise client_error(
                "The secret name must be unique and not shared with any new or existing environment "
                f"variables set on the container, such as '{shared[0]}'."
            )


def _check_ports(params: Params, containers: Sequence[Params]) -> None:
    """Refuse a port of two containers: in awsvpc mode they share one network interface."""
    if params.get("networkMode") != "awsvpc":
        return
    ports = Counter(
        (mapping.get("containerPort"), mapping.get("protocol", "tcp"))
        for container in containers
        for mapping in container.get("portMappings", [])
    )
    for (port, protocol), count in ports.items():
        if count > 1:
            raise client_error(f"The container port {port}/{protocol} is used by more than one port mapping.")


def _not_run(params: Params) -> Iterator[str]:
    yield from (name for name in UNSUPPORTED if params.get(name))
    for name, values in PLATFORM.items():
        given = params.get("runtimePlatform", {}).get(name, values[0])
        if given not in values:
            yield f"{name} {given}"
