"""Pitfalls of the Deploy stage, with the whole pipeline: each test retries the stage with a small change."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.builds import buildspec_of, only, to_yaml
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from integration_tests.pitfalls.whole_pipeline import WholePipeline
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.slow

UNREADABLE = "Exception while trying to read the task definition artifact file from: BuildOutput"


@pytest.fixture(scope="module")
def whole_pipeline(cloud: Cloud) -> Iterator[WholePipeline]:
    with temporary_stack(cloud, synthesized(cloud).resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        pipeline = Pipeline(cloud, stack.physical_name("pipeline-the-suffix"))
        yield WholePipeline(stack, pipeline)


def test_a_second_deployment_is_rejected_while_one_is_active(whole_pipeline: WholePipeline) -> None:
    """pitfall E2: until the old tasks have stopped; the active deployment is not affected."""
    codedeploy = whole_pipeline.stack.cloud.client("codedeploy")

    def look() -> str:
        if not whole_pipeline.deployments():
            raise NotYetError("no deployment yet")
        return whole_pipeline.deployments()[0]

    active = wait_for("the first deployment", look, deadline=300, interval=0.2)
    revision = codedeploy.get_deployment(deploymentId=active)["deploymentInfo"]["revision"]
    with pytest.raises(ClientError) as error:
        codedeploy.create_deployment(**whole_pipeline.group, revision=revision)
    assert error.value.response["Error"]["Code"] == "DeploymentLimitExceededException"
    group = whole_pipeline.group["deploymentGroupName"]
    words = f"The Deployment Group '{group}' already has an active Deployment '{active}'"
    assert error.value.response["Error"]["Message"] == words
    assert whole_pipeline.pipeline.outcome("Deploy") == Outcome("Succeeded")


@pytest.fixture(scope="module")
def released(whole_pipeline: WholePipeline) -> WholePipeline:
    """The pipeline with the seeded commit released; the tests change its artifact."""
    assert whole_pipeline.pipeline.outcome("Deploy") == Outcome("Succeeded")
    run = whole_pipeline.pipeline.runs()[-1]["pipelineExecutionId"]
    body = whole_pipeline.stack.cloud.client("s3").get_object(**whole_pipeline.artifact(run))["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        whole_pipeline.files = {name: packed.read(name).decode() for name in packed.namelist()}
    return whole_pipeline


@pytest.fixture(scope="module")
def failed(released: WholePipeline) -> WholePipeline:
    """The pipeline with an execution that failed in Deploy: its file name is that of the CDK's docstring."""
    cloud = released.stack.cloud
    whole = buildspec_of(cloud, "PipelineBuildProject")
    spec = only(whole, "# Write the platform", "export IMAGE_TAG", "fill.py", "printf")
    spec["env"]["variables"]["IMAGE_URI"] = "public.ecr.aws/docker/library/python:3.9-slim"
    text = to_yaml(spec).replace("imageDetail.json", "imageDetails.json")
    project = released.physical_name("build-the-suffix")
    cloud.client("codebuild").update_project(name=project, source={"type": "CODEPIPELINE", "buildspec": text})
    client, name = cloud.client("codecommit"), released.physical_name("repository-the-suffix")
    head = client.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    file = {"filePath": "a-file", "fileContent": b"any"}
    commit = client.create_commit(
        repositoryName=name, branchName="main", parentCommitId=head, putFiles=[file]
    )

    def look() -> str:
        for run in released.pipeline.runs():
            if [one["revisionId"] for one in run["sourceRevisions"]] == [commit["commitId"]]:
                return str(run["pipelineExecutionId"])
        raise NotYetError("no run of it yet")

    released.run = wait_for("the run of the commit", look, deadline=60, interval=0.2)
    return released


def test_the_image_is_not_read_from_imagedetails_json(failed: WholePipeline) -> None:
    """pitfall D1: the name that the CDK's docstring gives is wrong."""
    assert failed.pipeline.outcome("Deploy", failed.run) == Outcome(
        "Failed",
        "ConfigurationError",
        "Exception while trying to read the image artifact file from the artifact: BuildOutput",
    )


def test_an_artifact_above_3_mb_cannot_be_read(failed: WholePipeline) -> None:
    """pitfall D3: the Source artifact as the input of the Deploy action is too large."""
    outcome = failed.retry({**failed.files, "src/noise": os.urandom(3 * 1024 * 1024)})
    assert outcome == Outcome("Failed", "ConfigurationError", UNREADABLE)


def test_a_task_definition_file_with_another_name_is_not_found(failed: WholePipeline) -> None:
    """pitfall D4: taskdef.json, unless the action's configuration names another path."""
    files = dict(failed.files)
    files["task-definition.json"] = files.pop("taskdef.json")
    assert failed.retry(files) == Outcome("Failed", "ConfigurationError", UNREADABLE)


def changed(whole_pipeline: WholePipeline, change: Callable[[dict[str, Any]], None]) -> dict[str, str]:
    """Return the released files with a change to the task definition."""
    definition = json.loads(whole_pipeline.files["taskdef.json"])
    change(definition)
    return {**whole_pipeline.files, "taskdef.json": json.dumps(definition)}


def image_of_another_placeholder(definition: dict[str, Any]) -> None:
    definition["containerDefinitions"][0]["image"] = "<IMAGE_NAME>"


def as_described(definition: dict[str, Any]) -> None:
    definition |= {"revision": 1, "status": "ACTIVE", "compatibilities": ["EC2", "FARGATE"]}


def with_a_tag(definition: dict[str, Any]) -> None:
    definition["tags"] = [{"key": "team", "value": "greeters"}]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (image_of_another_placeholder, "ConfigurationError", "Container.image contains invalid characters."),
        (as_described, "ConfigurationError", "is not a valid RegisterTaskDefinition input"),
    ],
)
def test_a_task_definition_must_be_valid_after_its_placeholders_are_replaced(
    failed: WholePipeline, change: Callable[[dict[str, Any]], None], code: str, words: str
) -> None:
    """pitfall D2: only the action's placeholders are replaced; DescribeTaskDefinition adds fields."""
    outcome = failed.retry(changed(failed, change))
    assert (outcome.status, outcome.code) == ("Failed", code)
    assert words in outcome.message


def test_an_appspec_with_another_placeholder_has_no_task_definition(failed: WholePipeline) -> None:
    """pitfall D2: it must be <TASK_DEFINITION> exactly."""
    spec = failed.files["appspec.yaml"].replace("<TASK_DEFINITION>", "<TASK_DEF>")
    outcome = failed.retry({**failed.files, "appspec.yaml": spec})
    assert (outcome.status, outcome.code) == ("Failed", "JobFailed")
    code, words = failed.error()
    assert code == "INVALID_REVISION"
    assert (
        "the AppSpec file that specifies the deployment configuration is missing or has an invalid" in words
    )


def test_a_tag_in_the_task_definition_needs_a_permission_that_is_not_granted(failed: WholePipeline) -> None:
    """pitfall D6: neither CodePipeline's page nor the CDK's grants have ecs:TagResource."""
    outcome = failed.retry(changed(failed, with_a_tag))
    assert outcome == Outcome(
        "Failed", "PermissionError", "The provided role does not have sufficient permissions to access ECS"
    )


def test_a_missing_permission_is_not_named(failed: WholePipeline) -> None:
    """pitfall D5: only CloudTrail has its name."""

    def take(statements: list[dict[str, Any]]) -> None:
        (one,) = (each for each in statements if each["Sid"] == "StartTheDeployment")
        one["Action"].remove("codedeploy:CreateDeployment")

    with failed.policy("deploy-action-role-the-suffix", take):
        outcome = failed.retry(failed.files)
    assert outcome == Outcome(
        "Failed",
        "PermissionError",
        "The provided role does not have sufficient permissions to access CodeDeploy",
    )


@pytest.mark.parametrize("as_synthesized", [True, False])
def test_permission_to_pass_every_role_lets_a_commit_choose_its_role(
    failed: WholePipeline, as_synthesized: bool
) -> None:
    """pitfall D7: with the CDK's PassRole on `*`, a task can run with the build's role; here it cannot."""
    role = (
        f"arn:aws:iam::{failed.stack.cloud.account.id}:role/{failed.physical_name('build-role-the-suffix')}"
    )
    files = changed(failed, lambda definition: definition.update(taskRoleArn=role, family="chosen"))
    # This fails before a task starts.
    files["appspec.yaml"] = "version: 0.0"

    def widen(statements: list[dict[str, Any]]) -> None:
        if not as_synthesized:
            (one,) = (each for each in statements if each["Sid"] == "PassTheTasksRoles")
            one["Resource"] = "*"

    with failed.policy("deploy-action-role-the-suffix", widen):
        outcome = failed.retry(files)
    ecs = failed.stack.cloud.client("ecs")
    registered = ecs.list_task_definitions(familyPrefix="chosen")["taskDefinitionArns"]
    assert len(registered) == (0 if as_synthesized else 1)
    if as_synthesized:
        assert outcome.message == "The provided role does not have sufficient permissions to access ECS"


def test_codedeploys_limited_policy_passes_only_roles_with_certain_names(failed: WholePipeline) -> None:
    """pitfall D8: AWSCodeDeployRoleForECSLimited passes ecsTaskExecutionRole and ECSTaskExecution* only."""

    def limit(statements: list[dict[str, Any]]) -> None:
        (one,) = (each for each in statements if each["Action"] == "iam:PassRole")
        one["Resource"] = [
            "arn:aws:iam::*:role/ecsTaskExecutionRole",
            "arn:aws:iam::*:role/ECSTaskExecution*",
        ]

    with failed.policy("deployment-role-the-suffix", limit):
        outcome = failed.retry(failed.files)
    assert (outcome.status, outcome.code) == ("Failed", "JobFailed")
    code, words = failed.error()
    assert code == "IAM_ROLE_PERMISSIONS"
    assert "is not authorized to perform: iam:PassRole on resource" in words


def update(whole_pipeline: WholePipeline, change: Callable[[dict[str, Any]], None]) -> dict[str, str]:
    """Return CodePipeline's error for an invalid change of the pipeline."""
    declared = whole_pipeline.pipeline.client.get_pipeline(name=whole_pipeline.pipeline.name)["pipeline"]
    change(declared)
    with pytest.raises(ClientError) as error:
        whole_pipeline.pipeline.client.update_pipeline(pipeline=declared)
    refusal: dict[str, str] = error.value.response["Error"]
    return refusal


def test_a_setting_of_an_action_has_at_most_1000_characters(failed: WholePipeline) -> None:
    """pitfall D4: long variables belong in the CodeBuild project, where the synthesized ones are."""

    def lengthen(pipeline: dict[str, Any]) -> None:
        variables = json.dumps([{"name": "LONG", "value": "x" * 1000}])
        pipeline["stages"][1]["actions"][0]["configuration"]["EnvironmentVariables"] = variables

    refusal = update(failed, lengthen)
    assert refusal["Code"] == "ValidationException"
    assert "Member must have length less than or equal to 1000" in refusal["Message"]


def test_parallel_execution_mode_is_rejected(failed: WholePipeline) -> None:
    """pitfall E2: on AWS, parallel executions collide in the deployment group; local_aws rejects the mode."""
    refusal = update(failed, lambda pipeline: pipeline.update(executionMode="PARALLEL"))
    assert refusal["Code"] == "UnsupportedOperation"
    assert "executionMode PARALLEL" in refusal["Message"]


def test_the_unchanged_artifact_is_released(failed: WholePipeline) -> None:
    """pitfalls D1, D2, D3, D4, D5, D6, D7, D8: only the changes made the deployments fail."""
    assert failed.retry(failed.files) == Outcome("Succeeded")
