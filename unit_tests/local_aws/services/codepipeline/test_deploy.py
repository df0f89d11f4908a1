"""The deploy action registers the task definition and deploys it, and fails with AWS's messages."""

import json

import boto3
import pytest

from unit_tests.local_aws.services.codepipeline.declarations import (
    deploy,
    stage,
    with_build,
)
from unit_tests.local_aws.services.codepipeline.fake_sts import refusal
from unit_tests.local_aws.services.codepipeline.fakes import IMAGE, TASK_DEFINITION, FakeCloud, failed, until

READ_IMAGE = "Exception while trying to read the image artifact file from the artifact: BuildOutput"


READ_TASK = "Exception while trying to read the task definition artifact file from: BuildOutput"


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
