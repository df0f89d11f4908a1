"""What only Fargate refuses in a task definition, in AWS's words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.services.ecs.errors import client_error

Params = Mapping[str, Any]

# CPU units: MiB.
SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
# Of any task: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
SMALLEST = {"cpu": 128, "memory": 4}
LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
# Of all capabilities, a container may add this one.
CAPABILITY = "SYS_PTRACE"
SMALLEST_STORAGE, LARGEST_STORAGE = 21, 200
# The member of a task definition, a container or its Linux parameters, and its name in AWS's message.
NOT_OF_TASKS = {
    "placementConstraints": "constraints",
    "ipcMode": "ipcMode",
    "inferenceAccelerators": "inferenceAccelerators",
}
NOT_OF_CONTAINERS = {"dockerSecurityOptions": "dockerSecurityOptions"}
NOT_OF_LINUX = {
    "devices": "devices",
    "maxSwap": "maxSwap",
    "sharedMemorySize": "sharedMemorySize",
    "swappiness": "swappiness",
    "tmpfs": "tmpfs",
}


def check_fargate(params: Params) -> None:
    """Raise ClientException for the first of what Fargate refuses."""
    for violation in _violations(params):
        raise client_error(violation)


def _violations(params: Params) -> Iterator[str]:
    if params.get("networkMode") != "awsvpc":
        yield "Fargate only supports network mode ‘awsvpc’."  # noqa: RUF001 - AWS's own quotes
    yield from _sizes(params)
    yield from _unsupported(params, NOT_OF_TASKS)
    if params.get("pidMode") == "host":
        yield "Tasks using the Fargate launch type do not support pidMode 'host'."
    for volume in params.get("volumes", []):
        if volume.get("host", {}).get("sourcePath"):
            yield "Fargate compatible task definitions do not support sourcePath"
        yield from _unsupported(volume, {"dockerVolumeConfiguration": "dockerVolumeConfiguration"})
    for container in params["containerDefinitions"]:
        yield from _of_container(container)


def _sizes(params: Params) -> Iterator[str]:
    for name in ("cpu", "memory"):
        if name not in params:
            yield f"Fargate requires that '{name}' be defined at the task level."
        elif size(params[name]) < SMALLEST[name]:
            yield f"Invalid '{name}' setting for task."
    cpu, memory = size(params["cpu"]), size(params["memory"])
    if memory not in SIZES.get(cpu, ()):
        yield (
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )
    if sum(container.get("cpu", 0) for container in params["containerDefinitions"]) > cpu:
        yield "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
    for container in params["containerDefinitions"]:
        if max(container.get("memory", 0), container.get("memoryReservation", 0)) > memory:
            yield f"The 'memory' setting for container '{container['name']}' is greater than for the task."
    yield from _storage(params)


def _storage(params: Params) -> Iterator[str]:
    storage = params.get("ephemeralStorage", {}).get("sizeInGiB", SMALLEST_STORAGE)
    if storage < SMALLEST_STORAGE:
        yield f"EphemeralStorage size should be at least {SMALLEST_STORAGE}"
    if storage > LARGEST_STORAGE:
        yield f"EphemeralStorage size should be at most {LARGEST_STORAGE}"


def _of_container(container: Params) -> Iterator[str]:
    if container.get("privileged"):
        yield "Fargate requires that the 'privileged' setting be 'false'."
    for name in ("startTimeout", "stopTimeout"):
        if not 2 <= container.get(name, 2) <= 120:
            yield f"The {name} value must be between 2 and 120 seconds for Fargate tasks."
    yield from _unsupported(container, NOT_OF_CONTAINERS)
    linux = container.get("linuxParameters", {})
    yield from _unsupported(linux, NOT_OF_LINUX)
    for capability in linux.get("capabilities", {}).get("add", []):
        if capability != CAPABILITY:
            yield f"{capability} is not allowed on Fargate."
    for resource in container.get("resourceRequirements", []):
        if resource.get("type") == "GPU":
            yield "Fargate compatible task definitions do not support GPU"
    driver = container.get("logConfiguration", {}).get("logDriver", LOG_DRIVERS[0])
    if driver not in LOG_DRIVERS:
        yield f"{driver} is not a valid log driver. Must be one of [{', '.join(LOG_DRIVERS)}]"


def _unsupported(given: Params, names: Mapping[str, str]) -> Iterator[str]:
    for member, name in names.items():
        if given.get(member):
            yield f"Fargate compatible task definitions do not support {name}"


def size(text: str) -> int:
    """Return a task's CPU in units of 1/1024 vCPU, or its memory in MiB; 0 for what is neither."""
    match = re.fullmatch(r"(\d*\.?\d+)\s*(vCPU|GB)?", text.strip(), re.IGNORECASE)
    return int(float(match[1]) * (1024 if match[2] else 1)) if match else 0
