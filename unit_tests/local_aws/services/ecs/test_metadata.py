"""The task metadata endpoint of a running task."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.services.ecs.metadata import metadata
from unit_tests.local_aws.containers.fakes import until
from unit_tests.local_aws.services.ecs.fakes import Cloud, cloud


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        yield found


def test_a_container_finds_its_task_by_the_address_in_its_environment(aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html ."""
    aws.define()
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    address = aws.engine.living[0].spec.environment["ECS_CONTAINER_METADATA_URI_V4"]
    task = aws.ecs.tasks[arn]
    name = task.content["containers"][0]["name"]
    assert address == f"{aws.context.endpoint}/_local_aws/task-metadata/{task.id}/{name}"
    found, container = metadata(task, name, "task"), metadata(task, name, "")
    assert found is not None
    assert container is not None
    assert (found["TaskARN"], found["LaunchType"], found["KnownStatus"]) == (arn, "FARGATE", "RUNNING")
    assert found["Family"] in task.definition["taskDefinitionArn"]
    assert found["Containers"] == [container]
    assert container["Networks"] == [{"NetworkMode": "awsvpc", "IPv4Addresses": [task.address]}]
    assert container["Labels"]["com.amazonaws.ecs.task-arn"] == arn
    assert metadata(task, "other", "") is None
    assert metadata(task, name, "stats") is None
