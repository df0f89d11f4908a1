"""A pipeline that promotes to an environment of another account, reduced to what an approval concerns."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from harness.cloud import Cloud
from harness.local import SECOND_ACCOUNT
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.attacks.people import role
from operations.names import Names
from operations.waiting import NotYetError, wait_for

TARGET = "prod"
EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
# An environment that qa promotes to, and which promotes to prod.
SETTINGS = (
    f"promotedFrom=qa@{SECOND_ACCOUNT}",
    f"promoteTo={TARGET}@{SECOND_ACCOUNT}",
    *("githubRepository=acme/greeter", "githubOwnerId=11", "githubRepositoryId=22"),
    "createGithubOidcProvider=true",
)
_KIND = {"owner": "AWS", "version": "1"}


@contextmanager
def promoting_pipeline(cloud: Cloud, buildspec: str = "") -> Iterator[Stack]:
    """Create a pipeline whose promotion to prod waits for an approval; with a Build if it has a buildspec."""
    resources = synthesized(cloud, *SETTINGS).part(f"AccessApprovalRole{TARGET}")
    with temporary_stack(cloud, resources) as stack, role(cloud, f"runs-{stack.suffix}", EVERYTHING) as runs:
        assert stack.final_status() == CREATED, stack.failures()
        names = Names(stack.suffix)
        services = [f"{service}.amazonaws.com" for service in ("codepipeline", "codebuild")]
        trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        cloud.client("iam").update_assume_role_policy(RoleName=runs, PolicyDocument=json.dumps(document))
        runs_as = f"arn:aws:iam::{cloud.account.id}:role/{runs}"
        stages = [_source(names.pipeline)]
        if buildspec:
            create_project(cloud, names.build_project, runs_as, buildspec)
            stages.append(_build(names.build_project))
        _create(cloud, names.pipeline, runs_as, [*stages, _approval()])
        yield stack
        cloud.client("codepipeline").delete_pipeline(name=names.pipeline)
        cloud.client("codecommit").delete_repository(repositoryName=names.pipeline)
        cloud.client("codebuild").delete_project(name=names.build_project)


def create_project(cloud: Cloud, name: str, runs_as: str, buildspec: str) -> None:
    """Create the CodeBuild project of the stage Build."""
    cloud.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=runs_as,
    )


def _source(repository: str) -> dict[str, Any]:
    action = {
        "name": "Source",
        "namespace": "Source",
        "actionTypeId": {**_KIND, "category": "Source", "provider": "CodeCommit"},
        "configuration": {
            "RepositoryName": repository,
            "BranchName": "main",
            "PollForSourceChanges": "false",
        },
        "outputArtifacts": [{"name": "SourceOutput"}],
    }
    return {"name": "Source", "actions": [action]}


def _build(project: str) -> dict[str, Any]:
    action = {
        "name": "Build",
        "namespace": "Build",
        "actionTypeId": {**_KIND, "category": "Build", "provider": "CodeBuild"},
        "configuration": {"ProjectName": project},
        "inputArtifacts": [{"name": "SourceOutput"}],
    }
    return {"name": "Build", "actions": [action]}


def _approval() -> dict[str, Any]:
    action = {
        "name": f"Approve-{TARGET}",
        "actionTypeId": {**_KIND, "category": "Approval", "provider": "Manual"},
    }
    return {"name": f"Promote-{TARGET}", "actions": [action]}


def _create(cloud: Cloud, name: str, runs_as: str, stages: Sequence[dict[str, Any]]) -> None:
    cloud.client("codecommit").create_repository(repositoryName=name)
    cloud.client("codecommit").put_file(
        repositoryName=name, branchName="main", filePath="a", fileContent=b"1"
    )
    cloud.client("s3").create_bucket(Bucket=name)
    cloud.client("codepipeline").create_pipeline(
        pipeline={
            "name": name,
            "roleArn": runs_as,
            "artifactStore": {"type": "S3", "location": name},
            "stages": list(stages),
            "pipelineType": "V2",
            "executionMode": "SUPERSEDED",
        }
    )


def wait_for_approval(cloud: Cloud, pipeline: str, wanted: str, execution: str = "") -> str:
    """Wait until the approval, of an execution if one is given, has the status `wanted`; return its token.

    Only a pending one has a token.
    """

    def look() -> str:
        state = cloud.client("codepipeline").get_pipeline_state(name=pipeline)
        stage = state["stageStates"][-1]
        found = stage["actionStates"][0].get("latestExecution", {})
        runs = stage.get("latestExecution", {}).get("pipelineExecutionId", "")
        if found.get("status") != wanted or execution not in ("", runs):
            raise NotYetError(str(found))
        return str(found.get("token", ""))

    return wait_for(f"the approval of {pipeline}", look, deadline=300, interval=0.2)
