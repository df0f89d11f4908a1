"""ECS on a fake container engine."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local_aws.containers.engine import ContainerSpec, PullError
from local_aws.containers.images.config import ImageConfig
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.ecs import scheduler as ecs_scheduler
from local_aws.services.ecs import targets as ecs_targets
from local_aws.services.ecs import task_logs as ecs_task_logs
from local_aws.services.ecs.service import Ecs
from unit_tests.local_aws.services.ecs.service_fakes import (
    BLUE,
    ROLE,
    FakeCloudWatch,
    FakeEc2,
    FakeEcr,
    FakeElb,
    FakeLogs,
    FakeSsm,
)

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
CLUSTER = "cluster-dev"


class FakeContainer:
    def __init__(self, spec: ContainerSpec, engine: "FakeEngine", on_line: Callable[[str], None]) -> None:
        self.spec, self.engine, self.on_line = spec, engine, on_line
        self.id = uuid.uuid4().hex
        self.address = spec.address or ""
        self.process_id = 0
        self.out_of_memory = False
        self.code: int | None = None
        self.ended = threading.Event()
        self.well = True

    @property
    def exit_code(self) -> int | None:
        return self.code

    def wait(self, timeout: float | None = None) -> int | None:
        self.ended.wait(timeout)
        return self.code

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        return (0 if self.well else 1), ""

    def die(self, code: int) -> None:
        self.code = code
        self.ended.set()

    def stop(self, timeout: float) -> int:
        self.engine.journal.append(f"stop {timeout}")
        self.die(143)
        return 143


class FakeEngine:
    name = about = "fake"

    def __init__(self) -> None:
        self.started: list[FakeContainer] = []
        self.logins: list[str | None] = []
        self.images = {"app:1"}
        self.journal: list[str] = []
        self.addresses = 0

    def pull(self, reference: str, login: str | None = None) -> str:
        self.logins.append(login)
        if reference not in self.images:
            raise PullError(f"pull image manifest has been retried 1 time(s): {reference}: not found")
        return reference

    def config(self, image: str) -> ImageConfig:
        return ImageConfig()

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> FakeContainer:
        container = FakeContainer(spec, self, on_line)
        self.started.append(container)
        return container

    def address(self) -> str:
        self.addresses += 1
        return f"127.64.0.{self.addresses}"

    def release(self, address: str) -> None:
        self.journal.append(f"release {address}")

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        raise AssertionError("no build here")

    def end_docker(self, directory: Path) -> None:
        raise AssertionError("no build here")

    def stop(self) -> None:
        for container in self.started:
            container.die(137)

    @property
    def living(self) -> list[FakeContainer]:
        return [one for one in self.started if one.exit_code is None]


class Cloud:
    """ECS with a cluster, its fakes, and shortcuts for tests."""

    def __init__(self, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = FakeEngine()
        self.elb, self.logs = FakeElb(self.engine.journal), FakeLogs()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.context = Context(state, "http://127.0.0.1:9", Clock(0.001), "test", self._emit)
        self.ssm = FakeSsm()
        clients = {
            "elbv2": self.elb,
            "logs": self.logs,
            "ecr": FakeEcr(),
            "ssm": self.ssm,
            "ec2": FakeEc2(),
            "cloudwatch": FakeCloudWatch(),
        }
        monkeypatch.setattr(self.context, "client", lambda service, _role=None: clients[service])
        self.ecs = Ecs(self.context, self.engine)
        self.call("CreateCluster", clusterName=CLUSTER)

    def _emit(self, source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        self.events.append((kind, detail))

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.ecs.call(operation, params)

    def define(self, image: str = "app:1", family: str = "task-dev", **container: Any) -> str:
        options = {
            "awslogs-group": "/ecs/task-dev",
            "awslogs-stream-prefix": "app",
            "awslogs-region": "us-east-1",
        }
        definition = {
            "name": "app",
            "image": image,
            "portMappings": [{"containerPort": 8080}],
            "stopTimeout": 60,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **container,
        }
        return str(
            self.call("RegisterTaskDefinition", **task_definition(family, definition))["taskDefinition"][
                "taskDefinitionArn"
            ]
        )

    def create(self, **changes: Any) -> dict[str, Any]:
        params = {
            "cluster": CLUSTER,
            "serviceName": "service-dev",
            "taskDefinition": "task-dev",
            "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            "deploymentController": {"type": "CODE_DEPLOY"},
            "loadBalancers": [balancer(BLUE)],
            **changes,
        }
        return dict(self.call("CreateService", **params)["service"])

    def service(self) -> dict[str, Any]:
        found = self.call("DescribeServices", cluster=CLUSTER, services=["service-dev"])["services"]
        return dict(found[0])

    def sets(self) -> dict[str, str]:
        return {one["status"]: one["stabilityStatus"] for one in self.service().get("taskSets", [])}

    def task(self, arn: str) -> dict[str, Any]:
        return dict(self.call("DescribeTasks", cluster=CLUSTER, tasks=[arn])["tasks"][0])

    def tasks(self, status: str = "RUNNING") -> list[str]:
        return list(self.call("ListTasks", cluster=CLUSTER, desiredStatus=status)["taskArns"])

    def run(self, **params: Any) -> str:
        wanted = {
            "cluster": CLUSTER,
            "taskDefinition": "task-dev",
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            **params,
        }
        return str(self.call("RunTask", **wanted)["tasks"][0]["taskArn"])


def task_definition(family: str, *containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": list(containers),
        **changes,
    }


def balancer(arn: str) -> dict[str, Any]:
    return {"targetGroupArn": arn, "containerName": "app", "containerPort": 8080}


@contextmanager
def cloud(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Give an ECS with short waits. At the end, no thread of it may have failed."""
    monkeypatch.setattr(ecs_scheduler, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ecs_scheduler, "LONGEST_BACKOFF", 0.05)
    monkeypatch.setattr(ecs_targets, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ecs_task_logs, "FLUSH_SECONDS", 0.01)
    found = Cloud(state, monkeypatch)
    threads: list[threading.Thread] = []
    spawn = found.context.spawn
    monkeypatch.setattr(found.context, "spawn", lambda *work: threads.append(spawn(*work)))
    yield found
    found.ecs.stop()
    # The fakes end with the test: no thread may be left that would call the real services.
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), thread.name
    assert found.context.background_errors == []
