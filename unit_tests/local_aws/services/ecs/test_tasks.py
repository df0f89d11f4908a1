"""Tasks: their states, why they stop, and that a running task has a process."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.containers.engine import ContainerError
from local_aws.containers.processes.container import processes_of
from local_aws.core.api import AwsError
from unit_tests.local_aws.containers.fakes import BASE, VERSION, process_engine, shared_store, until
from unit_tests.local_aws.services.ecs.fakes import CLUSTER, Cloud, cloud
from unit_tests.local_aws.services.ecs.service_fakes import FakeEcr


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        yield found


def stopped(aws: Cloud, arn: str) -> dict[str, Any]:
    until(lambda: aws.task(arn)["lastStatus"] == "STOPPED")
    return aws.task(arn)


def test_a_task_runs_a_container_with_the_definitions_environment(aws: Cloud) -> None:
    aws.define(environment=[{"name": "PORT", "value": "8080"}], command=["python", "app.py"])
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    spec = aws.engine.living[0].spec
    assert spec.command == ("python", "app.py")
    assert spec.environment["PORT"] == "8080"
    assert spec.environment["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"
    details = aws.task(arn)["attachments"][0]["details"]
    assert {"name": "privateIPv4Address", "value": "127.64.0.1"} in details


def test_a_task_whose_process_exited_is_not_running(aws: Cloud) -> None:
    aws.define()
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    aws.engine.living[0].die(137)
    task = stopped(aws, arn)
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert task["containers"][0]["exitCode"] == 137


def test_a_task_of_real_processes_ends_with_its_main_process(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_store().unpack(shared_store().base(VERSION))
    engine = process_engine()
    monkeypatch.setattr(aws.ecs, "containers", engine)
    aws.define(BASE, command=["sleep", "99"])
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    (process,) = processes_of(aws.task(arn)["containers"][0]["runtimeId"])
    os.kill(process, signal.SIGKILL)
    task = stopped(aws, arn)
    assert (task["containers"][0]["exitCode"], task["stopCode"]) == (137, "EssentialContainerExited")
    engine.stop()


def test_a_container_that_was_killed_for_its_memory_has_that_reason(aws: Cloud) -> None:
    aws.define()
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    aws.engine.living[0].out_of_memory = True
    aws.engine.living[0].die(137)
    task = stopped(aws, arn)
    (container,) = task["containers"]
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert (container["exitCode"], task["stopCode"]) == (137, "EssentialContainerExited")


RUNC = "runc create failed: unable to start container process"
NO_PROGRAM = 'exec: "serve": executable file not found in $PATH'


@pytest.mark.parametrize(
    "error",
    [
        # Of processes, of docker 20.10, of podman 4.3.
        f"failed to create shim task: OCI runtime create failed: {RUNC}: {NO_PROGRAM}",
        f"failed to create shim task: OCI runtime create failed: {RUNC}: {NO_PROGRAM}: unknown.",
        f"runc: {RUNC}: {NO_PROGRAM}: OCI runtime attempted to invoke a command that was not found",
    ],
)
def test_every_engine_says_in_fargates_words_that_there_is_no_such_program(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    def refuse(*_: object) -> None:
        raise ContainerError(error)

    monkeypatch.setattr(aws.engine, "start", refuse)
    aws.define()
    assert stopped(aws, aws.run())["stoppedReason"] == (
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime "
        f"task: failed to create shim task: OCI runtime create failed: {RUNC}: {NO_PROGRAM}: unknown"
    )


def test_an_image_that_does_not_exist_stops_the_task_before_any_process(aws: Cloud) -> None:
    aws.define("missing:1")
    task = stopped(aws, aws.run())
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest has been retried")
    assert aws.engine.started == []
    assert "startedAt" not in task


@pytest.mark.parametrize("reference", [":1", f"@{FakeEcr.digest}"], ids=["a tag", "a digest"])
def test_a_container_has_the_digest_of_its_image(aws: Cloud, reference: str) -> None:
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev{reference}"
    aws.engine.images.add(image)
    aws.define(image)
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    assert aws.task(arn)["containers"][0]["imageDigest"] == FakeEcr.digest


@pytest.mark.parametrize("other", [{"family": "task-dev"}, {"serviceName": "service-dev"}])
def test_who_started_a_task_must_be_the_only_filter(aws: Cloud, other: dict[str, str]) -> None:
    aws.define()
    aws.create()
    with pytest.raises(AwsError, match="must be the only filter"):
        aws.call("ListTasks", cluster=CLUSTER, startedBy="ecs-svc/1", **other)


def test_a_missing_log_group_stops_the_task(aws: Cloud) -> None:
    aws.define()
    aws.logs.groups.clear()
    task = stopped(aws, aws.run())
    assert task["stoppedReason"].startswith("ResourceInitializationError: failed to validate logger args")
    assert "The specified log group does not exist" in task["stoppedReason"]


NO_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
    "failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
)


def stored(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "valueFrom": f"/orders-dev/{name}"} for name in names]


def test_a_container_gets_the_values_of_its_secrets(aws: Cloud) -> None:
    names = [f"SECRET_{number}" for number in range(11)]
    aws.ssm.values = {f"/orders-dev/{name}": f"value of {name}" for name in names}
    by_arn = {
        "name": "TOKEN",
        "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/orders-dev/SECRET_0",
    }
    aws.define(secrets=[*stored(*names), by_arn])
    aws.run()
    until(lambda: aws.engine.living)
    given = aws.engine.living[0].spec.environment
    assert {name: given[name] for name in names} == {name: f"value of {name}" for name in names}
    assert given["TOKEN"] == "value of SECRET_0"  # noqa: S105 - no secret
    assert max(map(len, aws.ssm.asked)) == 10, "as many as GetParameters takes"


def test_a_task_with_a_missing_secret_stops_before_its_image_is_pulled(aws: Cloud) -> None:
    aws.ssm.values = {"/orders-dev/KEY": "x"}
    aws.define(secrets=stored("KEY", "TOKEN", "DATABASE_URL"))
    task = stopped(aws, aws.run())
    missing = "invalid ssm parameters: /orders-dev/TOKEN, /orders-dev/DATABASE_URL"
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", NO_SECRETS + missing)
    assert aws.engine.logins == []


def test_a_task_whose_role_may_not_read_a_secret_says_so(aws: Cloud) -> None:
    aws.ssm.denied = True
    aws.define(secrets=stored("TOKEN"))
    reason = stopped(aws, aws.run())["stoppedReason"]
    assert reason.startswith(f"{NO_SECRETS}AccessDeniedException: User: arn:aws:iam::123456789012:role/")


def test_lines_reach_the_stream_named_by_prefix_container_and_task(aws: Cloud) -> None:
    aws.define()
    arn = aws.run()
    until(lambda: aws.engine.living)
    aws.engine.living[0].on_line("hello")
    name = f"app/app/{arn.rpartition('/')[2]}"
    until(lambda: aws.logs.lines.get(name) == ["hello"])


def test_a_task_passes_the_states_of_aws_with_an_event_for_each(aws: Cloud) -> None:
    aws.define()
    arn = aws.run()
    until(lambda: aws.task(arn)["lastStatus"] == "RUNNING")
    aws.call("StopTask", cluster=CLUSTER, task=arn, reason="enough")
    task = stopped(aws, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    told = [detail["lastStatus"] for kind, detail in aws.events if kind == "ECS Task State Change"]
    assert told == [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ]
    assert "stop 60" in aws.engine.journal
    assert "release 127.64.0.1" in aws.engine.journal


def test_a_container_that_fails_its_health_check_stops_a_task_without_a_service(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.containers.health.SHORTEST_INTERVAL", 0.01)
    aws.define(healthCheck={"command": ["CMD", "true"], "interval": 5, "retries": 2})
    arn = aws.run()
    until(lambda: aws.task(arn)["healthStatus"] == "HEALTHY")
    aws.engine.living[0].well = False
    assert stopped(aws, arn)["stoppedReason"] == "Task failed container health checks"
    assert aws.task(arn)["healthStatus"] == "UNHEALTHY"


def test_a_task_that_does_not_exist_is_a_failure(aws: Cloud) -> None:
    answer = aws.call("DescribeTasks", cluster=CLUSTER, tasks=["nothing"])
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "MISSING")
    with pytest.raises(AwsError, match="Cluster not found"):
        aws.call("DescribeTasks", cluster="nowhere", tasks=["nothing"])


def test_a_client_token_starts_one_task(aws: Cloud) -> None:
    aws.define()
    assert aws.run(clientToken="a") == aws.run(clientToken="a") != aws.run(clientToken="b")
    with pytest.raises(AwsError, match=r"^ConflictException: The client token a is already in use"):
        aws.run(clientToken="a", count=2)
