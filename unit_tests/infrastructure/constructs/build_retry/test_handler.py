"""The function that retries Build: for which failures, once, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infrastructure.constructs.build_retry.function import handler as retry

EVENT = {"detail": {"execution-id": "e-1", "stage": "Build", "state": "FAILED"}}
Json = dict[str, Any]


def phase(type_: str, status: str, code: str = "CLIENT_ERROR") -> Json:
    context = {"statusCode": code, "message": "why"}
    return {"phaseType": type_, "phaseStatus": status, "contexts": [context]}


def run(action: str, status: str = "Failed", build: str | None = "test-dev:1", stage: str = "Build") -> Json:
    result = {"externalExecutionId": build} if build else {}
    return {
        "stageName": stage,
        "actionName": action,
        "status": status,
        "output": {"executionResult": result},
    }


@dataclass
class Aws:
    """CodePipeline with these runs of actions, CodeBuild with these phases of a build, and the topic."""

    runs: list[Json] = field(default_factory=lambda: [run("Test")])
    phases: list[Json] = field(default_factory=list)
    refusal: str = ""
    retried: list[Json] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def client(self, _service: str, **_given: Any) -> Aws:
        return self

    def get_paginator(self, name: str) -> Aws:
        assert name == "list_action_executions"
        return self

    def paginate(self, **given: Any) -> Iterator[Json]:
        assert given == {"pipelineName": "pipeline-dev", "filter": {"pipelineExecutionId": "e-1"}}
        yield {"actionExecutionDetails": [run("Source", "Succeeded", "c" * 40, "Source")]}
        yield {"actionExecutionDetails": self.runs}

    def batch_get_builds(self, ids: list[str]) -> Json:
        return {"builds": [{"id": ids[0], "phases": [phase("SUBMITTED", "SUCCEEDED"), *self.phases]}]}

    def retry_stage_execution(self, **given: Any) -> None:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": ""}}, "RetryStageExecution")
        self.retried.append(given)

    def publish(self, **given: Any) -> None:
        assert given["TopicArn"] == "topic"
        self.told.append(given["Message"])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr(boto3, "client", found.client)
    monkeypatch.setenv("PIPELINE", "pipeline-dev")
    monkeypatch.setenv("TOPIC", "topic")
    return found


@pytest.mark.parametrize(
    "failed",
    [
        phase("QUEUED", "TIMED_OUT"),
        phase("PROVISIONING", "FAILED"),
        phase("PROVISIONING", "FAULT", "INTERNAL_ERROR"),
        phase("DOWNLOAD_SOURCE", "FAILED"),
        phase("BUILD", "FAULT", "INTERNAL_ERROR"),
        {"phaseType": "PROVISIONING", "phaseStatus": "FAULT"},
    ],
    ids=lambda failed: f"{failed['phaseType']}-{failed['phaseStatus']}-{len(failed)}",
)
def test_what_failed_without_the_commit_is_retried_and_told(aws: Aws, failed: Json) -> None:
    aws.phases = [failed]
    assert retry.handler(EVENT, None)["retried"]
    assert aws.retried == [
        {
            "pipelineName": "pipeline-dev",
            "stageName": "Build",
            "pipelineExecutionId": "e-1",
            "retryMode": "FAILED_ACTIONS",
        }
    ]
    (told,) = aws.told
    assert f"test-dev:1: {failed['phaseType']} {failed['phaseStatus']}: " in told


@pytest.mark.parametrize(
    "failed",
    [
        phase("INSTALL", "FAILED", "COMMAND_EXECUTION_ERROR"),
        phase("BUILD", "FAILED", "COMMAND_EXECUTION_ERROR"),
        phase("BUILD", "TIMED_OUT", "BUILD_TIMED_OUT"),
        phase("UPLOAD_ARTIFACTS", "FAILED"),
        phase("DOWNLOAD_SOURCE", "FAILED", "YAML_FILE_ERROR"),
        phase("PROVISIONING", "STOPPED"),
    ],
    ids=lambda failed: f"{failed['phaseType']}-{failed['phaseStatus']}",
)
def test_what_the_commit_or_a_person_did_is_left_alone(aws: Aws, failed: Json) -> None:
    aws.phases = [failed, phase("POST_BUILD", "FAULT")]
    assert not retry.handler(EVENT, None)["retried"]
    assert (aws.retried, aws.told) == ([], [])


def test_a_second_fault_is_left_to_a_person(aws: Aws) -> None:
    aws.phases = [phase("PROVISIONING", "FAULT")]
    aws.runs = [run("Test", build="test-dev:2"), run("Test")]
    assert not retry.handler(EVENT, None)["retried"]


def test_a_build_that_never_started_is_left_to_a_person(aws: Aws) -> None:
    """CodeBuild has refused it, as without a quota of builds (pitfall A2)."""
    aws.runs = [run("Test", build=None)]
    assert not retry.handler(EVENT, None)["retried"]


def test_all_that_failed_must_be_awss(aws: Aws) -> None:
    aws.phases = [phase("PROVISIONING", "FAULT")]
    aws.runs = [run("Build"), run("Test", build=None)]
    assert not retry.handler(EVENT, None)["retried"]
    aws.runs = [run("Build"), run("Test", "Succeeded")]
    assert retry.handler(EVENT, None)["retried"]


def test_a_newer_execution_in_the_stage_makes_the_retry_needless(aws: Aws) -> None:
    aws.phases, aws.refusal = [phase("PROVISIONING", "FAULT")], retry.OVERTAKEN
    assert not retry.handler(EVENT, None)["retried"]
    assert aws.told == []
    aws.refusal = "ConflictException"
    with pytest.raises(ClientError):
        retry.handler(EVENT, None)
