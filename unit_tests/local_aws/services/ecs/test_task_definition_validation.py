"""What RegisterTaskDefinition accepts for Fargate, and what it refuses, in AWS's words where known."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.ecs.task_definition_validation import check_task_definition

ROLE = "arn:aws:iam::123456789012:role/execution-role-dev"
LOGS = {"awslogs-group": "/ecs/task-dev", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}
APP: dict[str, Any] = {
    "name": "app",
    "image": "public.ecr.aws/docker/library/python:3.9-slim",
    "portMappings": [{"containerPort": 8080}],
    "logConfiguration": {"logDriver": "awslogs", "options": LOGS},
}
SIDECAR = {"name": "sidecar", "image": "sidecar:1", "essential": False}


def definition(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a task definition that Fargate accepts, with changes; None leaves a member out."""
    params = {
        "family": "task-dev",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": list(containers or (APP,)),
        **changes,
    }
    return {key: value for key, value in params.items() if value is not None}


def app(**changes: Any) -> dict[str, Any]:
    return {**APP, **changes}


def logs(**options: str | None) -> dict[str, Any]:
    """Return the container with other log options; None leaves one out."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    merged = {name: value for name, value in {**LOGS, **given}.items() if value is not None}
    return app(logConfiguration={"logDriver": "awslogs", "options": merged})


def health(**settings: int) -> dict[str, Any]:
    return app(healthCheck={"command": ["CMD-SHELL", "true"], **settings})


def linux(**parameters: Any) -> dict[str, Any]:
    return app(linuxParameters=parameters)


ACCEPTED = {
    "the shipped form": definition(),
    "labels": definition(app(dockerLabels={"a": "b"})),
    "a terminal": definition(app(pseudoTerminal=True, interactive=True)),
    "an init process": definition(linux(initProcessEnabled=True)),
    "the one capability": definition(linux(capabilities={"add": ["SYS_PTRACE"], "drop": ["ALL"]})),
    "more storage": definition(ephemeralStorage={"sizeInGiB": 30}),
    "a health check at its limits": definition(health(interval=300, timeout=60, retries=10, startPeriod=300)),
    "a health check that is off": definition(app(healthCheck={"command": ["NONE"]})),
    "two sizes that fit": definition(app(cpu=128, memory=512), {**SIDECAR, "cpu": 128}),
    "one port by two protocols": definition(
        app(portMappings=[{"containerPort": 53, "protocol": each} for each in ("tcp", "udp")])
    ),
    "sizes in words": definition(cpu=".25 vCPU", memory="0.5GB"),
    "a path in the role": definition(taskRoleArn="arn:aws:iam::123456789012:role/team/task-role"),
    "EC2 with the memory of a container": definition(
        app(memory=64), requiresCompatibilities=["EC2"], cpu=None, memory=None
    ),
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "family": (definition(family="my service"), "Family contains invalid characters."),
    "name": (definition(app(name="my app")), "Container.name contains invalid characters."),
    "no name": (definition(app(name="")), "Container.name should not be null or empty."),
    "same name": (definition(APP, APP), "Container names must be unique within a task definition."),
    "no container": (definition(containerDefinitions=[]), "Container list cannot be empty."),
    "eleven containers": (
        definition(*(app(name=f"app-{number}") for number in range(11))),
        "Too many containers.",
    ),
    "nothing essential": (definition(SIDECAR), "does not have any essential container"),
    "no image": (definition(app(image="")), "Container.image should not be null or empty."),
    "role by name": (definition(executionRoleArn="execution-role-dev"), "Role is not valid"),
    "task role": (definition(taskRoleArn="nope"), "Role is not valid"),
    "secrets without a role": (
        definition(
            {**SIDECAR, "essential": True, "secrets": [{"name": "X", "valueFrom": "/x"}]},
            executionRoleArn=None,
        ),
        "you must also specify a value for 'executionRoleArn'.",
    ),
    "a secret and a variable of one name": (
        definition(
            app(environment=[{"name": "X", "value": "1"}], secrets=[{"name": "X", "valueFrom": "/x"}])
        ),
        "existing environment variables set on the container, such as 'X'.",
    ),
    "two secrets of one name": (
        definition(app(secrets=[{"name": "X", "valueFrom": "/x"}, {"name": "X", "valueFrom": "/y"}])),
        "The secret name must be unique",
    ),
    "small cpu": (definition(cpu="100"), "Invalid 'cpu' setting for task."),
    "no number": (definition(memory="much"), "Invalid 'memory' setting for task."),
    "size of no task": (definition(memory="768"), "No Fargate configuration exists for given values"),
    "memory of a container": (
        definition(app(memory=1024)),
        "The 'memory' setting for container 'app' is greater than for the task.",
    ),
    "cpu of all containers": (
        definition(app(cpu=256), {**SIDECAR, "cpu": 1}),
        "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    ),
    "reservation": (
        definition(app(memory=256, memoryReservation=512)),
        "'memory' must be greater than or equal to 'memoryReservation'.",
    ),
    "EC2 without memory": (
        definition(requiresCompatibilities=["EC2"], cpu=None, memory=None),
        "At least one of 'memory' or 'memoryReservation' must be specified.",
    ),
    "little storage": (
        definition(ephemeralStorage={"sizeInGiB": 20}),
        "EphemeralStorage size should be at least 21",
    ),
    "much storage": (
        definition(ephemeralStorage={"sizeInGiB": 201}),
        "EphemeralStorage size should be at most 200",
    ),
    "placement": (
        definition(
            placementConstraints=[{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}]
        ),
        "Fargate compatible task definitions do not support constraints",
    ),
    "ipc": (definition(ipcMode="host"), "Fargate compatible task definitions do not support ipcMode"),
    "pid": (definition(pidMode="host"), "do not support pidMode 'host'"),
    "a host's folder": (
        definition(volumes=[{"name": "v", "host": {"sourcePath": "/var/run"}}]),
        "Fargate compatible task definitions do not support sourcePath",
    ),
    "privileged": (
        definition(app(privileged=True)),
        "Fargate requires that the 'privileged' setting be 'false'.",
    ),
    "capability": (
        definition(linux(capabilities={"add": ["NET_ADMIN"]})),
        "NET_ADMIN is not allowed on Fargate.",
    ),
    "shared memory": (
        definition(linux(sharedMemorySize=256)),
        "Fargate compatible task definitions do not support sharedMemorySize",
    ),
    "swap": (
        definition(linux(maxSwap=256)),
        "Fargate compatible task definitions do not support maxSwap",
    ),
    "a GPU": (
        definition(app(resourceRequirements=[{"type": "GPU", "value": "1"}])),
        "Fargate compatible task definitions do not support GPU",
    ),
    "stop at once": (definition(app(stopTimeout=1)), "must be between 2 and 120 seconds"),
    "log driver": (
        definition(app(logConfiguration={"logDriver": "syslog"})),
        "syslog is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]",
    ),
    "no log options": (
        definition(app(logConfiguration={"logDriver": "awslogs"})),
        "Log driver awslogs requires options: awslogs-region, awslogs-group",
    ),
    "no log group": (
        definition(logs(awslogs_group=None)),
        "Log driver awslogs requires options: awslogs-group",
    ),
    "unknown log option": (definition(logs(log_key="log")), "Log driver awslogs disallows options: log-key"),
    "no stream prefix": (
        definition(logs(awslogs_stream_prefix=None)),
        "Fargate requires log configuration options to include awslogs-stream-prefix.",
    ),
    "links": (definition(app(links=["db"])), "Links are not supported when networkMode=awsvpc."),
    "hostname": (
        definition(app(hostname="app")),
        "hostname is not supported on container when networkMode=awsvpc.",
    ),
    "no network": (
        definition(app(disableNetworking=True)),
        "Disable Networking is not supported on container when networkMode=awsvpc.",
    ),
    "name servers": (
        definition(app(dnsServers=["10.0.0.2"])),
        "DNS servers are not supported on container when networkMode=awsvpc.",
    ),
    "port 0": (definition(app(portMappings=[{"containerPort": 0}])), "must be between 1 and 65535"),
    "port 70000": (definition(app(portMappings=[{"containerPort": 70000}])), "must be between 1 and 65535"),
    "one port of two": (
        definition(APP, {**SIDECAR, "portMappings": [{"containerPort": 8080}]}),
        "The container port 8080/tcp is used by more than one port mapping.",
    ),
    "health check without CMD": (
        definition(app(healthCheck={"command": ["true"]})),
        "begins with CMD or CMD-SHELL",
    ),
    "interval": (definition(health(interval=4)), "The interval of a health check must be between 5 and 300"),
    "timeout": (definition(health(timeout=61)), "The timeout of a health check must be between 2 and 60"),
    "retries": (definition(health(retries=0)), "The retries of a health check must be between 1 and 10"),
    "start period": (
        definition(health(startPeriod=301)),
        "startPeriod of a health check must be between 0 and 300",
    ),
    "unknown dependency": (
        definition(app(dependsOn=[{"containerName": "db", "condition": "START"}])),
        "Cannot depend on container db because it does not exist",
    ),
}

NOT_RUN = {
    "cpuArchitecture ARM64": definition(runtimePlatform={"cpuArchitecture": "ARM64"}),
    "operatingSystemFamily WINDOWS_SERVER_2022_CORE": definition(
        runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    ),
    "proxyConfiguration": definition(proxyConfiguration={"containerName": "envoy"}),
    "pidMode": definition(pidMode="task"),
    "ulimits": definition(app(ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": 2}])),
    "containerPortRange": definition(app(portMappings=[{"containerPortRange": "8000-8010"}])),
}


@pytest.mark.parametrize("params", ACCEPTED.values(), ids=ACCEPTED)
def test_what_fargate_accepts_is_accepted(params: dict[str, Any]) -> None:
    check_task_definition(params)


@pytest.mark.parametrize(("params", "words"), REFUSED.values(), ids=REFUSED)
def test_what_aws_refuses_is_a_client_exception(params: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError) as refused:
        check_task_definition(params)
    assert (refused.value.code, words in refused.value.message) == ("ClientException", True), refused.value


@pytest.mark.parametrize(("name", "params"), NOT_RUN.items(), ids=NOT_RUN)
def test_what_local_aws_does_not_run_is_refused_by_name(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refused:
        check_task_definition(params)
    assert refused.value.code == "UnsupportedOperation"
    assert refused.value.message == f"local_aws does not run tasks with {name}"
