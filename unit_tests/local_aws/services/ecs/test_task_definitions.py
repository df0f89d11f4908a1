"""Task definitions: what Fargate accepts, revisions, and their deletion."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.containers.fakes import HOST
from unit_tests.local_aws.services.ecs.fakes import Cloud, cloud, task_definition

APP = {"name": "app", "image": "app:1"}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        yield found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"cpu": "256", "memory": "128"},
            "No Fargate configuration exists for given values: 256 CPU, 128 memory",
        ),
        ({"cpu": "300"}, "No Fargate configuration exists"),
        ({"networkMode": "bridge"}, "Fargate only supports network mode"),
        ({"executionRoleArn": None}, "execution role ARN to support ECR images"),
        ({"memory": None}, "Fargate requires that 'memory' be defined at the task level"),
        ({"volumes": [{"name": "v"}]}, "does not run tasks with volumes"),
    ],
)
def test_what_fargate_does_not_accept_is_refused(aws: Cloud, changes: dict[str, Any], words: str) -> None:
    params = task_definition("task-dev", {**APP, "image": f"{HOST}/images-dev:1"}, **changes)
    given = {key: value for key, value in params.items() if value is not None}
    with pytest.raises(AwsError, match=words):
        aws.call("RegisterTaskDefinition", **given)


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"stopTimeout": 121}, "stopTimeout value must be between 2 and 120"),
        ({"portMappings": [{"containerPort": 80, "hostPort": 81}]}, "host ports and container ports"),
        ({"logConfiguration": {"logDriver": "splunk"}}, "does not run tasks with log driver splunk"),
        (
            {"dependsOn": [{"containerName": "app", "condition": "START"}]},
            "does not run tasks with dependsOn",
        ),
        ({"essential": False}, "does not have any essential container"),
        ({"image": "<IMAGE_NAME>"}, r"Container\.image contains invalid characters\."),
    ],
)
def test_containers_are_checked(aws: Cloud, container: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError, match=words):
        aws.call("RegisterTaskDefinition", **task_definition("task-dev", {**APP, **container}))


def test_revisions_count_up_and_a_family_means_the_newest_active_one(aws: Cloud) -> None:
    first, second = aws.define(), aws.define()
    assert (first.rpartition(":")[2], second.rpartition(":")[2]) == ("1", "2")
    newest = aws.call("DescribeTaskDefinition", taskDefinition="task-dev")["taskDefinition"]
    assert newest["taskDefinitionArn"] == second
    aws.call("DeregisterTaskDefinition", taskDefinition="task-dev:2")
    assert aws.call("DescribeTaskDefinition", taskDefinition="task-dev")["taskDefinition"]["revision"] == 1
    assert aws.call("ListTaskDefinitions", status="INACTIVE")["taskDefinitionArns"] == [second]
    assert aws.define().endswith(":3")


def test_only_an_inactive_revision_can_be_deleted(aws: Cloud) -> None:
    arn = aws.define()
    assert aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])["failures"][0]["arn"] == arn
    aws.call("DeregisterTaskDefinition", taskDefinition=arn)
    assert aws.call("DeleteTaskDefinitions", taskDefinitions=[arn])["failures"] == []
    with pytest.raises(AwsError, match="Unable to describe task definition"):
        aws.call("DescribeTaskDefinition", taskDefinition=arn)


def test_an_inactive_revision_starts_no_task(aws: Cloud) -> None:
    aws.call("DeregisterTaskDefinition", taskDefinition=aws.define())
    with pytest.raises(AwsError, match="TaskDefinition is inactive"):
        aws.run(taskDefinition="task-dev:1")


def test_a_stack_registers_and_deregisters_a_task_definition(aws: Cloud) -> None:
    kind = aws.ecs.resource_types()["AWS::ECS::TaskDefinition"]
    properties = {
        "Family": "task-dev",
        "Cpu": "256",
        "Memory": 512,
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [
            {"Name": "app", "Image": "app:1", "PortMappings": [{"ContainerPort": "8080"}]}
        ],
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    arn, _ = kind.create(properties, "Task", "stack-dev")
    described = aws.call("DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
    assert described["taskDefinition"]["containerDefinitions"][0]["portMappings"][0]["containerPort"] == 8080
    assert described["tags"] == [{"key": "a", "value": "b"}]
    kind.delete(arn, properties)
    assert aws.call("ListTaskDefinitions")["taskDefinitionArns"] == []
    with pytest.raises(AwsError, match=r"not support the property ContainerDefinitions\.0\.Surprise"):
        kind.create({**properties, "ContainerDefinitions": [{"Surprise": 1}]}, "Task", "stack-dev")
