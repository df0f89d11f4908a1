"""What the test-traffic hook calls: a service, AWS, and Lambda's context."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from infrastructure.constructs.traffic_hook.function import handler as hook

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLD = "f" * 40
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "execution-1"}
TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:7"
DIGEST, OTHER = (f"sha256:{letter * 64}" for letter in "ab")
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev@{DIGEST}"
IMAGE_ID = {"repositoryName": "images-dev", "imageId": {"imageDigest": DIGEST}}
KEY = "arn:aws:kms:us-east-1:123456789012:alias/signing-key-dev"
PATHS = [{"path": "/health", "status": 200}, {"path": "/", "status": 200}]
Answer = tuple[int, str | None]
NEW = f"version {COMMIT}"
RIGHT = f"200 of {NEW}"


@dataclass
class Service:
    """What responds at the test listener: `answer(path, number)` returns a status, and a version or None."""

    answer: Callable[[str, int], Answer] = lambda *_: (200, COMMIT)
    asked: list[str] = field(default_factory=list)
    clients: set[tuple[str, int]] = field(default_factory=set)


@dataclass
class Aws:
    """The AWS services that the hook calls, with their next responses; an unexpected call fails."""

    stubs: dict[str, Stubber]
    slept: list[float] = field(default_factory=list)

    break_glass: dict[str, Any] | None = None

    def client(self, name: str, **_: object) -> Any:
        if name == "ssm":
            self._expect_the_question()
        return self.stubs[name].client

    def _expect_the_question(self) -> None:
        wanted = {"Name": "/break-glass-dev/test-traffic-hook"}
        if self.break_glass is None:
            self.stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound", expected_params=wanted)
        else:
            self.stubs["ssm"].add_response("get_parameter", {"Parameter": self.break_glass}, wanted)

    def returns_release(
        self,
        *,
        external_id: str = "d-1",
        container: str = "app",
        commit: str | None = COMMIT,
        image: str = IMAGE,
    ) -> None:
        """Return the release from ECS, without its tasks."""
        task_sets = [
            {"id": "ecs-svc/1", "externalId": "d-0", "taskDefinition": "task-dev:6"},
            {"id": "ecs-svc/2", "externalId": external_id, "taskDefinition": TASK_DEFINITION},
        ]
        self.stubs["ecs"].add_response(
            "describe_services",
            {"services": [{"taskSets": task_sets}]},
            {"cluster": "cluster-dev", "services": ["service-dev"]},
        )
        labels = {} if commit is None else {"dockerLabels": {"org.opencontainers.image.revision": commit}}
        sidecar = {"name": "sidecar", "dockerLabels": {"org.opencontainers.image.revision": OLD}}
        self.stubs["ecs"].add_response(
            "describe_task_definition",
            {
                "taskDefinition": {
                    "containerDefinitions": [sidecar, {"name": container, "image": image, **labels}]
                }
            },
            {"taskDefinition": TASK_DEFINITION},
        )

    def returns_tasks(self, *tasks: tuple[str, str | None]) -> None:
        """Return the tasks of the release, each with its status and the digest of its image."""
        arns = [
            f"arn:aws:ecs:us-east-1:123456789012:task/cluster-dev/{number}" for number in range(len(tasks))
        ]
        self.stubs["ecs"].add_response(
            "list_tasks", {"taskArns": arns}, {"cluster": "cluster-dev", "startedBy": "ecs-svc/2"}
        )
        if not tasks:
            return
        described = []
        for arn, (status, digest) in zip(arns, tasks, strict=True):
            app = {"name": "app"} if digest is None else {"name": "app", "imageDigest": digest}
            sidecar = {"name": "sidecar", "imageDigest": OTHER}
            described.append({"taskArn": arn, "lastStatus": status, "containers": [sidecar, app]})
        self.stubs["ecs"].add_response(
            "describe_tasks", {"tasks": described}, {"cluster": "cluster-dev", "tasks": arns}
        )

    def returns_scan(
        self, *findings: tuple[str, str, str], status: str = "COMPLETE", description: str = ""
    ) -> None:
        """Return the scan of the release's image, each finding with its name, severity and package."""
        described = {"description": description} if description else {}
        page: dict[str, Any] = {"imageScanStatus": {"status": status, **described}}
        if status == "COMPLETE":
            page["imageScanFindings"] = {
                "findings": [
                    {
                        "name": name,
                        "severity": severity,
                        "attributes": [{"key": "package_name", "value": package}],
                    }
                    for name, severity, package in findings
                ]
            }
        self.stubs["ecr"].add_response("describe_image_scan_findings", page, IMAGE_ID)

    def returns_no_scan(self) -> None:
        """Return that the image was never scanned."""
        self.stubs["ecr"].add_client_error(
            "describe_image_scan_findings", "ScanNotFoundException", expected_params=IMAGE_ID
        )

    def returns_running_release(self, *, scanned: bool = True) -> None:
        """Return a release whose two tasks run its image, without findings."""
        self.returns_release()
        self.returns_tasks(("RUNNING", DIGEST), ("RUNNING", DIGEST))
        if scanned:
            self.returns_scan()

    def returns_break_glass(self, value: str, *, written: datetime | None = None) -> None:
        """Return the parameter of break-glass each time that the hook asks; without it, there is none."""
        self.break_glass = {"Value": value, "LastModifiedDate": written or datetime.now(UTC)}

    def expects_event(self, description: str) -> None:
        """Expect the event that a release uses break-glass."""
        name = "/break-glass-dev/test-traffic-hook"
        detail = {"operation": "Use", "name": name, "description": description}
        entry = {
            "Source": "test-traffic-hook-dev",
            "DetailType": "Break-Glass Use",
            "Detail": json.dumps(detail),
        }
        self.stubs["events"].add_response("put_events", {"FailedEntryCount": 0}, {"Entries": [entry]})

    def expects_report(self, status: str) -> None:
        """Expect the report."""
        self.stubs["codedeploy"].add_response(
            "put_lifecycle_event_hook_execution_status",
            {"lifecycleEventHookExecutionId": "execution-1"},
            {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "execution-1", "status": status},
        )


@dataclass
class Context:
    """Lambda's context."""

    seconds: float = 360.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def run(seconds: float = 360.0) -> str:
    return hook.handler(EVENT, Context(seconds))["status"]


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The hook's one line."""
    (written,) = capsys.readouterr().out.splitlines()
    told: dict[str, Any] = json.loads(written)
    return told
