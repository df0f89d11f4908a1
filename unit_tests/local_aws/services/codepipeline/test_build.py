"""The build action runs a build; every action gets its variables and its role."""

import json

import pytest

from unit_tests.local_aws.services.codepipeline.declarations import (
    ACCOUNT_KEY,
    COMMIT,
    PIPELINE_ROLE,
    action,
    build,
    declaration,
    source,
    stage,
    with_build,
)
from unit_tests.local_aws.services.codepipeline.fake_sts import refusal
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, failed, until


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


def test_an_actions_role_is_assumed_with_the_pipelines_role(cloud: FakeCloud) -> None:
    role = "arn:aws:iam::123456789012:role/action-role-dev"
    stages = [stage("Source", source()), stage("Build", {**build(), "roleArn": role})]
    # The variable has no default, so CreatePipeline starts no execution.
    cloud.call("CreatePipeline", pipeline=declaration(stages=stages, variables=[{"name": "Reason"}]))
    assert cloud.sts.assumed == [role], "CreatePipeline tries it"
    cloud.sts.refused.add(role)
    cloud.ended(cloud.start(variables=[{"name": "Reason", "value": "a test"}]))
    assert cloud.sts.assumed == [role, role]
    assert ("sts", PIPELINE_ROLE) in cloud.requested_clients
    assert "not trusted" in cloud.action("Build", "Build")["errorDetails"]["message"]
