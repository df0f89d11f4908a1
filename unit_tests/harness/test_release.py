"""The release of a commit, from responses of CodePipeline and CodeDeploy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud, HarnessError
from harness.release import LIFECYCLE_EVENTS, Release, Releases, lifecycle_problem, newest_of, read
from infrastructure.outputs import Outputs
from unit_tests.harness.recorded_cloud import RecordedCloud

COMMIT = "a" * 40


def summary(execution: str, commit: str = COMMIT, status: str = "Succeeded") -> dict[str, Any]:
    """Return an execution as ListPipelineExecutions does."""
    revision = {"actionName": "Source", "revisionId": commit, "revisionSummary": "Greet"}
    return {"pipelineExecutionId": execution, "status": status, "sourceRevisions": [revision]}


def action(stage: str, status: str = "Succeeded", **result: Any) -> dict[str, Any]:
    """Return an action as ListActionExecutions does."""
    return {"stageName": stage, "actionName": stage, "status": status, "output": {"executionResult": result}}


def test_the_newest_execution_of_a_commit_is_its_release() -> None:
    found = newest_of(COMMIT, [summary("3", "b" * 40), summary("2"), summary("1")])
    assert found is not None
    assert found["pipelineExecutionId"] == "2"


def test_a_commit_that_started_nothing_has_no_release() -> None:
    assert (
        newest_of(COMMIT, [summary("1", "b" * 40), {"pipelineExecutionId": "0", "status": "Failed"}]) is None
    )


def test_stages_are_in_the_pipelines_order_and_the_deployment_is_the_last_ones() -> None:
    actions = [
        action("Deploy", "InProgress", externalExecutionId="d-ABC"),
        action("Build", externalExecutionId="build-dev:1"),
        action("Source", externalExecutionId=COMMIT),
    ]
    release = read(COMMIT, summary("1", status="InProgress"), actions)
    assert release.stages == (("Source", "Succeeded"), ("Build", "Succeeded"), ("Deploy", "InProgress"))
    assert release.deployment == "d-ABC"


def test_a_failed_build_has_a_reason_and_no_deployment() -> None:
    actions = [
        action("Build", "Failed", errorDetails={"code": "JobFailed", "message": "Build terminated: FAILED"}),
        action("Source"),
    ]
    release = read(COMMIT, summary("1", status="Failed"), actions)
    assert release.stage_statuses == {"Source": "Succeeded", "Build": "Failed"}
    assert release.deployment is None
    assert release.reason == "Build terminated: FAILED"
    assert "Build=Failed" in str(release)


def test_a_retried_action_has_its_last_status() -> None:
    actions = [action("Build", "Succeeded"), action("Build", "Failed"), action("Source")]
    assert read(COMMIT, summary("1"), actions).stage_statuses["Build"] == "Succeeded"


def test_a_stage_and_a_lifecycle_event_have_the_time_of_their_status() -> None:
    """That of AWS, not of when it was asked."""

    def at(second: int) -> datetime:
        return datetime.fromtimestamp(1000 + second, UTC)

    times = {"startTime": at(1), "lastUpdateTime": at(2)}
    running = {**action("Deploy", "InProgress", externalExecutionId="d-ABC"), **times}
    events = [
        {"lifecycleEventName": "Install", "status": "Succeeded", "startTime": at(3), "endTime": at(4)},
        {"lifecycleEventName": "AllowTestTraffic", "status": "InProgress", "startTime": at(5)},
        {"lifecycleEventName": "AllowTraffic", "status": "Pending"},
    ]
    answers = {
        "list_pipeline_executions": {"pipelineExecutionSummaries": [summary("1", status="InProgress")]},
        "list_action_executions": {"actionExecutionDetails": [running, {**action("Source"), **times}]},
        "list_deployment_targets": {"targetIds": ["1"]},
        "batch_get_deployment_targets": {"deploymentTargets": [{"ecsTarget": {"lifecycleEvents": events}}]},
    }
    found = releases(answers).of(COMMIT)
    assert found is not None
    assert found.moments == (
        ("Source", 1002.0),
        ("Deploy", 1001.0),
        ("Install", 1004.0),
        ("AllowTestTraffic", 1005.0),
    )


def release_with(events: dict[str, str]) -> Release:
    return Release(COMMIT, "1", "Succeeded", deployment="d-ABC", events=tuple(events.items()))


def test_a_deployment_with_every_lifecycle_event_has_no_problem() -> None:
    assert not lifecycle_problem(release_with(dict.fromkeys(LIFECYCLE_EVENTS, "Succeeded")))


@pytest.mark.parametrize("status", ["Failed", "InProgress", "Skipped", "Pending"])
def test_an_event_without_success_is_a_problem(status: str) -> None:
    events = {**dict.fromkeys(LIFECYCLE_EVENTS, "Succeeded"), "AllowTraffic": status}
    assert f"not succeeded ['AllowTraffic {status}']" in lifecycle_problem(release_with(events))


def test_a_deployment_without_events_is_a_problem() -> None:
    assert f"missing {list(LIFECYCLE_EVENTS)}" in lifecycle_problem(release_with({}))


def releases(answers: Mapping[str, Any]) -> Releases:
    outputs = Outputs.from_stack(dict.fromkeys(Outputs.keys(), "any"))
    return Releases(cast(Cloud, RecordedCloud(dict(answers))), outputs)


@pytest.mark.parametrize(
    ("code", "handled"), [("DeploymentNotStartedException", True), ("Throttling", False)]
)
def test_a_deployment_that_has_not_started_has_no_lifecycle_events(code: str, handled: bool) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "ListDeploymentTargets")
    found = releases({"list_deployment_targets": error})
    if handled:
        assert found.lifecycle("d-1") == []
        return
    with pytest.raises(ClientError):
        found.lifecycle("d-1")


class Pipeline:
    """A pipeline whose Source stage fails so many times in its only execution, then finds the commit."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.retried: list[dict[str, str]] = []

    def executions(self, **_: object) -> dict[str, Any]:
        failed = {"pipelineExecutionId": "1", "status": "Failed"}
        return {"pipelineExecutionSummaries": [failed if self.failures > len(self.retried) else summary("1")]}

    def retry(self, **arguments: str) -> None:
        self.retried.append(arguments)

    @property
    def releases(self) -> Releases:
        error = {"errorDetails": {"code": "PermissionError", "message": "the role lacks permissions"}}
        return releases(
            {
                "list_pipeline_executions": self.executions,
                "list_action_executions": {"actionExecutionDetails": [action("Source", "Failed", **error)]},
                "retry_stage_execution": self.retry,
            }
        )


def test_a_first_source_that_fails_before_its_role_is_known_everywhere_is_retried() -> None:
    """IAM is eventually consistent; without a retry, the release was awaited for an hour."""
    pipeline = Pipeline(failures=2)
    release = pipeline.releases.follow(COMMIT, deadline=10, update=lambda _: None)
    assert release.status == "Succeeded"
    retry = {"stageName": "Source", "pipelineExecutionId": "1", "retryMode": "FAILED_ACTIONS"}
    assert pipeline.retried == [{"pipelineName": "any", **retry}] * 2


def test_a_source_that_always_fails_ends_the_wait_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.release.MOST_RETRIES", 2)
    with pytest.raises(HarnessError, match="Source failed 3 times in execution 1: the role lacks"):
        Pipeline(failures=9).releases.follow(COMMIT, deadline=10, update=lambda _: None)
