"""The task metadata endpoint of a running task."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.services.ecs.metadata import metadata
from local_aws.services.ecs.records import Task
from unit_tests.local_aws.containers.fakes import until
from unit_tests.local_aws.services.ecs.fakes import Cloud, cloud


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        yield found


def running(aws: Cloud) -> tuple[Task, str]:
    """Run a task; return it and the name of its container."""
    aws.define()
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    task = aws.ecs.tasks[arn]
    return task, task.content["containers"][0]["name"]


def test_a_container_has_the_address_in_its_environment(aws: Cloud) -> None:
    task, name = running(aws)
    address = aws.engine.living[0].spec.environment["ECS_CONTAINER_METADATA_URI_V4"]
    assert address == f"{aws.context.endpoint}/_local_aws/task-metadata/{task.id}/{name}"


def test_a_container_is_told_what_its_task_is(aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html ."""
    task, name = running(aws)
    found, container = metadata(task, name, "task") or {}, metadata(task, name, "") or {}
    assert (found["TaskARN"], found["LaunchType"], found["KnownStatus"]) == (task.arn, "FARGATE", "RUNNING")
    assert f"/{found['Family']}:{found['Revision']}" in task.definition["taskDefinitionArn"]
    assert found["Containers"] == [container]
    assert container["Networks"] == [{"NetworkMode": "awsvpc", "IPv4Addresses": [task.address]}]
    assert container["Labels"]["com.amazonaws.ecs.task-arn"] == task.arn


def test_there_are_no_statistics_and_no_other_containers(aws: Cloud) -> None:
    task, name = running(aws)
    assert metadata(task, "other", "") is None
    assert metadata(task, name, "stats") is None
