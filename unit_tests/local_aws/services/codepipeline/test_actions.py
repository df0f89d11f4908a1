"""Each action provider behaves as AWS's does, and fails with AWS's messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.fakes import (
    ACCOUNT_KEY,
    COMMIT,
    IMAGE,
    PIPELINE_ROLE,
    TASK_DEFINITION,
    FakeCloud,
    action,
    build,
    deploy,
    refusal,
    running,
    source,
    stage,
    until,
    zipped,
)

READ_IMAGE = "Exception while trying to read the image artifact file from the artifact: BuildOutput"
READ_TASK = "Exception while trying to read the task definition artifact file from: BuildOutput"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    with running(tmp_path, monkeypatch) as found:
        yield found


def failed(cloud: FakeCloud, stage_name: str, action_name: str, **changes: Any) -> dict[str, str]:
    """Create the pipeline, expect it to fail, return the error of an action."""
    assert cloud.ended(cloud.create(**changes)) == "Failed"
    error: dict[str, str] = cloud.action(stage_name, action_name)["errorDetails"]
    return error


def with_build(**configuration: str) -> list[dict[str, Any]]:
    return [stage("Source", source()), stage("Build", build(**configuration))]


def with_approval(**configuration: str) -> list[dict[str, Any]]:
    return [
        stage("Source", source()),
        stage("Ask", action("Approval", "Manual", "Ask", configuration=configuration)),
    ]


def test_source_puts_the_commit_encrypted_into_the_bucket_as_the_pipelines_role(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    key, stored = next(item for item in cloud.s3.objects.items() if "/SourceOutp/" in item[0])
    assert key.startswith("pipeline-dev/SourceOutp/")
    assert stored["Body"] == zipped({"commit": COMMIT})
    assert stored["SSEKMSKeyId"] == ACCOUNT_KEY
    assert {role for service, role in cloud.requested_clients if service in ("s3", "codecommit")} == {
        PIPELINE_ROLE
    }


def test_source_records_its_variables_and_its_revision(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    runs = cloud.call("ListActionExecutions", pipelineName="pipeline-dev")["actionExecutionDetails"]
    found = next(run for run in runs if run["actionName"] == "Source")
    assert found["output"]["outputVariables"] == {
        "RepositoryName": "repository-dev",
        "BranchName": "main",
        "CommitId": COMMIT,
        "CommitMessage": "Say hello\n",
        "AuthorDate": "2017-01-11T20:49:58Z",
        "CommitterDate": "2017-01-11T20:49:58Z",
    }
    states = cloud.call("GetPipelineState", name="pipeline-dev")["stageStates"]
    assert states[0]["actionStates"][0]["currentRevision"]["revisionId"] == COMMIT


def test_source_uses_the_commit_that_the_caller_requested(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    wanted = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "b" * 40}
    cloud.ended(cloud.start(sourceRevisions=[wanted]))
    assert cloud.summaries()[0]["sourceRevisions"][0]["revisionId"] == "b" * 40


def test_source_without_permission_fails_with_a_permission_error(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**request: Any) -> None:
        raise refusal("AccessDeniedException", "User: x is not authorized")

    monkeypatch.setattr(cloud.codecommit, "get_branch", denied)
    error = failed(cloud, "Source", "Source")
    assert error["code"] == "PermissionError"
    assert error["message"].endswith("Error: User: x is not authorized")


def test_a_refused_upload_of_the_source_is_a_permission_error(cloud: FakeCloud) -> None:
    cloud.s3.denied = True
    assert failed(cloud, "Source", "Source")["code"] == "PermissionError"


def test_build_starts_the_build_with_the_artifacts_of_the_action(cloud: FakeCloud) -> None:
    value = json.dumps([{"name": "COMMIT", "value": "#{SourceVariables.CommitId}"}])
    cloud.ended(cloud.create(stages=with_build(EnvironmentVariables=value)))
    request = cloud.codebuild.started[0]
    source_key = next(key for key in cloud.s3.objects if "/SourceOutp/" in key)
    assert request["sourceTypeOverride"] == "S3"
    assert request["sourceLocationOverride"] == f"artifacts-dev/{source_key}"
    assert request["sourceVersion"] == COMMIT
    assert request["encryptionKeyOverride"] == ACCOUNT_KEY
    assert request["environmentVariablesOverride"] == [
        {"name": "COMMIT", "value": COMMIT, "type": "PLAINTEXT"}
    ]
    target = request["artifactsOverride"]
    assert (target["location"], target["path"]) == ("artifacts-dev", "pipeline-dev/BuildOutpu")
    assert (target["type"], target["packaging"], target["namespaceType"]) == ("S3", "ZIP", "NONE")


def test_variables_that_a_build_exports_reach_the_next_action(cloud: FakeCloud) -> None:
    ask = action("Approval", "Manual", "Ask", configuration={"CustomData": "Release #{BuildVariables.TAG}?"})
    execution = cloud.create(stages=[*with_build(), stage("Ask", ask)])
    until(lambda: cloud.action("Ask", "Ask").get("token") is not None)
    assert cloud.action("Ask", "Ask")["summary"] == "Release v7?"
    cloud.call(
        "StopPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=execution, abandon=True
    )
    cloud.ended(execution)


def test_a_variable_that_was_not_produced_fails_the_action(cloud: FakeCloud) -> None:
    ask = action("Approval", "Manual", "Ask", configuration={"CustomData": "#{BuildVariables.NOTHING}"})
    error = failed(cloud, "Ask", "Ask", stages=[*with_build(), stage("Ask", ask)])
    assert "#{BuildVariables.NOTHING}" in error["message"]


def test_a_build_that_cannot_start_reports_the_reason(cloud: FakeCloud) -> None:
    cloud.codebuild.refusal = refusal("AccountLimitExceededException", "Cannot have more than 0 builds")
    error = failed(cloud, "Build", "Build")
    assert error["message"].startswith("Error calling startBuild: Cannot have more than 0 builds")


def test_a_build_action_links_to_its_build(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    run = cloud.action("Build", "Build")
    assert run["externalExecutionId"] == "build-dev:1"
    assert run["externalExecutionUrl"].endswith(
        "codebuild/home?region=us-east-1#/builds/build-dev:1/view/new"
    )


def test_a_timeout_fails_the_build_and_stops_it(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.codebuild.released.clear()
    monkeypatch.setattr("local_aws.services.codepipeline.action_context.MINUTE", 0.001)
    slow = [stage("Source", source()), stage("Build", {**build(), "timeoutInMinutes": 5})]
    error = failed(cloud, "Build", "Build", stages=slow)
    assert error["message"] == "The action failed because it timed out"
    assert cloud.codebuild.stopped == ["build-dev:1"]


def test_the_time_scale_does_not_shorten_the_timeout_of_a_build(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.codebuild.released.clear()
    monkeypatch.setattr(type(cloud.clock), "seconds", lambda self, seconds: seconds / 1e7)
    execution = cloud.create()
    with pytest.raises(AssertionError, match="in time"):
        until(lambda: cloud.status(execution) != "InProgress", seconds=0.2)
    cloud.codebuild.released.set()
    assert cloud.ended(execution) == "Succeeded"


def test_deploy_fills_the_placeholders_registers_and_deploys(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    assert cloud.ecs.registered[0]["containerDefinitions"][0]["image"] == IMAGE
    request = cloud.codedeploy.created[0]
    assert (request["applicationName"], request["deploymentGroupName"]) == (
        "application-dev",
        "deployment-group-dev",
    )
    content = request["revision"]["appSpecContent"]["content"]
    assert f"TaskDefinition: {TASK_DEFINITION}" in content
    run = cloud.action("Deploy", "Deploy")
    assert (run["externalExecutionId"], run["summary"]) == ("d-1", "Deployment Succeeded")


def test_deploy_waits_until_the_deployment_is_final(cloud: FakeCloud) -> None:
    cloud.codedeploy.released.clear()
    execution = cloud.create()
    until(lambda: cloud.action("Deploy", "Deploy").get("externalExecutionId") == "d-1")
    assert cloud.status(execution) == "InProgress"
    cloud.codedeploy.released.set()
    assert cloud.ended(execution) == "Succeeded"


@pytest.mark.parametrize(("status", "word"), [("Failed", "failed"), ("Stopped", "stopped")])
def test_a_deployment_that_did_not_succeed_fails_the_action(cloud: FakeCloud, status: str, word: str) -> None:
    cloud.codedeploy.status = status
    error = failed(cloud, "Deploy", "Deploy")
    assert error == {"code": "JobFailed", "message": f"Deployment d-1 {word}"}


def test_an_image_file_of_another_name_is_not_read(cloud: FakeCloud) -> None:
    cloud.codebuild.files["imageDetails.json"] = cloud.codebuild.files.pop("imageDetail.json")
    assert failed(cloud, "Deploy", "Deploy") == {"code": "ConfigurationError", "message": READ_IMAGE}
    assert (cloud.ecs.registered, cloud.codedeploy.created) == ([], [])


def test_an_image_file_without_imageuri_is_not_read(cloud: FakeCloud) -> None:
    cloud.codebuild.files["imageDetail.json"] = '[{"name": "app", "imageUri": "x"}]'
    assert failed(cloud, "Deploy", "Deploy")["message"] == READ_IMAGE


def test_an_artifact_over_3_mb_is_refused(cloud: FakeCloud) -> None:
    cloud.codebuild.files["filler"] = b"x" * (3 * 1024 * 1024 - 2000)
    execution = cloud.create()
    assert cloud.ended(execution) == "Succeeded"
    cloud.codebuild.files["filler"] = b"x" * (3 * 1024 * 1024)
    assert cloud.ended(cloud.start()) == "Failed"
    assert cloud.action("Deploy", "Deploy")["errorDetails"]["message"] == READ_TASK


def test_a_missing_task_definition_file_is_reported(cloud: FakeCloud) -> None:
    del cloud.codebuild.files["taskdef.json"]
    assert failed(cloud, "Deploy", "Deploy")["message"] == READ_TASK


def test_deploy_reads_the_paths_that_are_configured(cloud: FakeCloud) -> None:
    cloud.codebuild.files["deploy/task.json"] = cloud.codebuild.files.pop("taskdef.json")
    custom = deploy(TaskDefinitionTemplatePath="deploy/task.json")
    assert cloud.ended(cloud.create(stages=[*with_build(), stage("Deploy", custom)])) == "Succeeded"


def test_an_error_of_ecs_is_reported(cloud: FakeCloud) -> None:
    cloud.ecs.refusal = refusal("ClientException", "Container.image contains invalid characters.")
    error = failed(cloud, "Deploy", "Deploy")
    assert error["message"].startswith("Container.image contains invalid characters.")


def test_a_missing_permission_of_deploy_is_reported_with_awss_message(cloud: FakeCloud) -> None:
    cloud.ecs.refusal = refusal("AccessDeniedException")
    assert failed(cloud, "Deploy", "Deploy") == {
        "code": "PermissionError",
        "message": "The provided role does not have sufficient permissions to access ECS",
    }


def test_fields_that_only_a_described_task_definition_has_are_refused(cloud: FakeCloud) -> None:
    # A real client validates the parameters before it sends the request.
    cloud.ecs = boto3.client("ecs", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106
    described = json.loads(str(cloud.codebuild.files["taskdef.json"])) | {"revision": 3}
    cloud.codebuild.files["taskdef.json"] = json.dumps(described)
    error = failed(cloud, "Deploy", "Deploy")
    assert error["code"] == "ConfigurationError"
    assert 'Unknown parameter in input: "revision"' in error["message"]


def test_an_actions_role_is_assumed_with_the_pipelines_role(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assumed: list[str] = []

    class FakeSts:
        def assume_role(self, **request: Any) -> dict[str, Any]:
            assumed.append(request["RoleArn"])
            raise refusal("AccessDenied", "not trusted")

    monkeypatch.setattr(cloud, "sts", FakeSts(), raising=False)
    role = "arn:aws:iam::123456789012:role/action-role-dev"
    error = failed(
        cloud,
        "Build",
        "Build",
        stages=[stage("Source", source()), stage("Build", {**build(), "roleArn": role})],
    )
    assert assumed == [role]
    assert ("sts", PIPELINE_ROLE) in cloud.requested_clients
    assert "not trusted" in error["message"]


def approve(cloud: FakeCloud, token: str, status: str) -> None:
    result = {"status": status, "summary": "seen"}
    where = {"pipelineName": "pipeline-dev", "stageName": "Ask", "actionName": "Ask"}
    cloud.call("PutApprovalResult", **where, token=token, result=result)


@pytest.mark.parametrize(("status", "ends"), [("Approved", "Succeeded"), ("Rejected", "Failed")])
def test_an_approval_waits_for_its_answer(cloud: FakeCloud, status: str, ends: str) -> None:
    execution = cloud.create(stages=with_approval())
    until(lambda: cloud.action("Ask", "Ask").get("token") is not None)
    assert cloud.status(execution) == "InProgress"
    token = cloud.action("Ask", "Ask")["token"]
    with pytest.raises(AwsError, match="InvalidApprovalTokenException"):
        approve(cloud, "00000000-0000-0000-0000-000000000000", status)
    approve(cloud, token, status)
    with pytest.raises(AwsError, match="ApprovalAlreadyCompletedException"):
        approve(cloud, token, status)
    assert cloud.ended(execution) == ends
    assert cloud.action("Ask", "Ask")["summary"] == "seen"


def test_an_approval_sends_a_notification_to_its_topic(cloud: FakeCloud) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:notifications-dev"
    execution = cloud.create(stages=with_approval(NotificationArn=topic, CustomData="Look at it"))
    until(lambda: bool(cloud.sns.published))
    message = json.loads(cloud.sns.published[0]["Message"])
    assert message["approval"]["token"] == cloud.action("Ask", "Ask")["token"]
    assert message["approval"]["customData"] == "Look at it"
    approve(cloud, message["approval"]["token"], "Approved")
    assert cloud.ended(execution) == "Succeeded"


def test_an_approval_expires_by_the_scaled_clock(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cloud.clock), "seconds", lambda self, seconds: seconds / 1e7)
    assert "expired" in failed(cloud, "Ask", "Ask", stages=with_approval())["message"]
