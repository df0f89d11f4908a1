"""Fakes of the services that CodePipeline calls."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codepipeline.service import CodePipeline
from unit_tests.local_aws.services.codepipeline.declarations import (
    COMMIT,
    Json,
    declaration,
)
from unit_tests.local_aws.services.codepipeline.fake_sts import FakeSts, refusal

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev@sha256:" + "0" * 64


TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:7"


def zipped(files: dict[str, str | bytes]) -> bytes:
    """Return a zip of `files`, uncompressed so that its size is theirs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return buffer.getvalue()


def deploy_files() -> dict[str, str | bytes]:
    """Return the three files of a good build artifact."""
    container = {"name": "app", "image": "<IMAGE1_NAME>"}
    return {
        "taskdef.json": json.dumps({"family": "task-dev", "containerDefinitions": [container]}),
        "appspec.yaml": "Resources: [{TargetService: {Properties: {TaskDefinition: <TASK_DEFINITION>}}}]",
        "imageDetail.json": json.dumps({"ImageURI": IMAGE}),
    }


class FakeS3:
    """S3 with one bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.denied = False

    def put_object(self, **request: Any) -> None:
        if self.denied:
            raise refusal("AccessDenied", "Access Denied")
        self.objects[request["Key"]] = request

    def head_object(self, **request: Any) -> Json:
        return {"ContentLength": len(self._found(request)["Body"])}

    def get_object(self, **request: Any) -> Json:
        return {"Body": io.BytesIO(self._found(request)["Body"])}

    def _found(self, request: Json) -> Json:
        if request["Key"] not in self.objects:
            raise refusal("NoSuchKey")
        return self.objects[request["Key"]]


class FakeCodeCommit:
    """One repository, `repository-dev`."""

    def __init__(self) -> None:
        self.branches = {"main": COMMIT}

    def get_branch(self, **request: Any) -> Json:
        if request["branchName"] not in self.branches:
            raise refusal("BranchDoesNotExistException")
        return {"branch": {"commitId": self.branches[request["branchName"]]}}

    def get_commit(self, **request: Any) -> Json:
        person = {"name": "A", "email": "a@example.com", "date": "1484167798 -0800"}
        commit = {"commitId": request["commitId"], "message": "Say hello\n"}
        return {"commit": {**commit, "author": person, "committer": person}}


class FakeCodeBuild:
    """Builds that end when `released`, with `status`, and upload `files` as their artifact."""

    def __init__(self, s3: FakeS3) -> None:
        self.s3 = s3
        self.files = deploy_files()
        self.status = "SUCCEEDED"
        self.released = threading.Event()
        self.released.set()
        self.started: list[Json] = []
        self.stopped: list[str] = []
        self.refusal: ClientError | None = None

    def start_build(self, **request: Any) -> Json:
        if self.refusal:
            raise self.refusal
        self.started.append(request)
        return {"build": {"id": f"build-dev:{len(self.started)}"}}

    def stop_build(self, **request: Any) -> None:
        self.stopped.append(request["id"])

    def batch_get_builds(self, ids: list[str]) -> Json:
        build: Json = {"id": ids[0], "buildStatus": "IN_PROGRESS", "buildComplete": False}
        if not self.released.is_set():
            return {"builds": [build]}
        request = self.started[int(ids[0].partition(":")[2]) - 1]
        target = request["artifactsOverride"]
        if self.status == "SUCCEEDED" and target["type"] == "S3":
            key = f"{target['path']}/{target['name']}"
            self.s3.put_object(Key=key, Bucket=target["location"], Body=zipped(self.files))
        reason = {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "Error while executing command: pytest"}
        phase = {"phaseType": "BUILD", "phaseStatus": self.status, "contexts": [reason]}
        exported = [{"name": "TAG", "value": "v7"}]
        end = {"buildStatus": self.status, "buildComplete": True, "phases": [phase]}
        return {"builds": [{**build, **end, "exportedEnvironmentVariables": exported}]}


class FakeEcs:
    def __init__(self) -> None:
        self.registered: list[Json] = []
        self.refusal: ClientError | None = None

    def register_task_definition(self, **request: Any) -> Json:
        if self.refusal:
            raise self.refusal
        self.registered.append(request)
        return {"taskDefinition": {"taskDefinitionArn": TASK_DEFINITION}}


class FakeCodeDeploy:
    """Deployments that end when `released`, with `status`."""

    def __init__(self) -> None:
        self.status = "Succeeded"
        self.released = threading.Event()
        self.released.set()
        self.created: list[Json] = []
        self.stopped: list[str] = []

    def create_deployment(self, **request: Any) -> Json:
        self.created.append(request)
        return {"deploymentId": f"d-{len(self.created)}"}

    def list_deployments(self, **request: Any) -> Json:
        assert request["createTimeRange"]["start"]
        return {"deployments": [f"d-{number}" for number in range(len(self.created), 0, -1)]}

    def get_deployment(self, **request: Any) -> Json:
        status = self.status if self.released.is_set() else "InProgress"
        return {"deploymentInfo": {"deploymentId": request["deploymentId"], "status": status}}

    def stop_deployment(self, **request: Any) -> None:
        self.stopped.append(request["deploymentId"])


class FakeSns:
    def __init__(self) -> None:
        self.published: list[Json] = []

    def publish(self, **request: Any) -> None:
        self.published.append(request)


class FakeCloud(Context):
    """A context whose clients are fakes; records the requested clients with their roles, and the events."""

    def __init__(self, state: Path) -> None:
        self.sent: list[tuple[str, list[str], Json]] = []
        super().__init__(state, "http://127.0.0.1:1", Clock(0.02), "test", self._record)
        self.s3 = FakeS3()
        self.codecommit, self.codebuild = FakeCodeCommit(), FakeCodeBuild(self.s3)
        self.ecs, self.codedeploy, self.sns = FakeEcs(), FakeCodeDeploy(), FakeSns()
        self.requested_clients: list[tuple[str, str | None]] = []
        self.sts = FakeSts()
        # Roles that CodePipeline cannot assume.
        self.untrusting: set[str] = set()
        self.pipelines = CodePipeline(self, archive=lambda repository, commit: zipped({"commit": commit}))

    def _record(self, source: str, detail_type: str, resources: list[str], detail: Json) -> None:
        assert source == "aws.codepipeline"
        self.sent.append((detail_type, resources, detail))

    def client(self, service: str, role_arn: str | None = None) -> Any:
        self.requested_clients.append((service, role_arn))
        return _LocalClient(self.pipelines) if service == "codepipeline" else getattr(self, service)

    def credentials(self, role_arn: str) -> dict[str, str]:
        if role_arn in self.untrusting:
            raise refusal("AccessDenied", "not trusted")
        return {}

    def call(self, operation: str, **params: Any) -> Json:
        """Call CodePipeline as a client does."""
        return self.pipelines.call(operation, params)

    def create(self, **changes: Any) -> str:
        """Create the shipped pipeline and return its first execution's id."""
        self.call("CreatePipeline", pipeline=declaration(**changes))
        return self.newest()

    def newest(self) -> str:
        """Return the id of the newest execution."""
        return str(self.summaries()[0]["pipelineExecutionId"])

    def summaries(self) -> list[Json]:
        """Return the executions, the newest first."""
        found: list[Json] = self.call("ListPipelineExecutions", pipelineName="pipeline-dev")[
            "pipelineExecutionSummaries"
        ]
        return found

    def start(self, **params: Any) -> str:
        """Start one more execution and return its id."""
        return str(self.call("StartPipelineExecution", name="pipeline-dev", **params)["pipelineExecutionId"])

    def status(self, execution: str) -> str:
        """Return an execution's status."""
        answer = self.call("GetPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=execution)
        return str(answer["pipelineExecution"]["status"])

    def ended(self, execution: str) -> str:
        """Return an execution's status once it is final."""
        until(lambda: self.status(execution) not in ("InProgress", "Stopping"))
        return self.status(execution)

    def action(self, stage: str, name: str) -> Json:
        """Return an action's latest execution from GetPipelineState."""
        states = self.call("GetPipelineState", name="pipeline-dev")["stageStates"]
        actions = next(item for item in states if item["stageName"] == stage)["actionStates"]
        found: Json = next(item for item in actions if item["actionName"] == name).get("latestExecution", {})
        return found

    def events(self, what: str, execution: str) -> list[str]:
        """Return the states in the `Pipeline`, `Stage` or `Action` events of an execution, in order."""
        wanted = f"CodePipeline {what} Execution State Change"
        return [
            ":".join(filter(None, (detail.get("stage"), detail["state"])))
            for detail_type, _, detail in self.sent
            if detail_type == wanted and detail["execution-id"] == execution
        ]


class _LocalClient:
    """The CodePipeline client that EventBridge uses."""

    def __init__(self, service: CodePipeline) -> None:
        self.service = service

    def start_pipeline_execution(self, **params: Any) -> Json:
        return self.service.call("StartPipelineExecution", params)


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for `condition`, at most `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition is not true in time"
        time.sleep(0.01)


@contextmanager
def running(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    """Yield a cloud and stop it; an error in a background thread fails the test."""
    monkeypatch.setattr("local_aws.services.codepipeline.action_context.POLL_SECONDS", 0.02)
    found = FakeCloud(state)
    yield found
    found.pipelines.stop()
    assert found.background_errors == []


def failed(cloud: FakeCloud, stage_name: str, action_name: str, **changes: Any) -> dict[str, str]:
    """Create the pipeline, expect it to fail, return the error of an action."""
    assert cloud.ended(cloud.create(**changes)) == "Failed"
    error: dict[str, str] = cloud.action(stage_name, action_name)["errorDetails"]
    return error
