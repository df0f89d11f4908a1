"""The declaration of a pipeline like the one that the project ships, and of its parts."""

from typing import Any

COMMIT = "a" * 40


PIPELINE_ROLE = "arn:aws:iam::123456789012:role/pipeline-role-dev"


ACCOUNT_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"


Json = dict[str, Any]


def action(category: str, provider: str, name: str, **members: Any) -> Json:
    """Return the declaration of an action."""
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **members}


def source(**configuration: str) -> Json:
    """Return the shipped source action, with changes of its configuration."""
    return action(
        "Source",
        "CodeCommit",
        "Source",
        configuration={
            "RepositoryName": "repository-dev",
            "BranchName": "main",
            "PollForSourceChanges": "false",
            **configuration,
        },
        outputArtifacts=[{"name": "SourceOutput"}],
        namespace="SourceVariables",
    )


def build(**configuration: str) -> Json:
    """Return the shipped build action."""
    return action(
        "Build",
        "CodeBuild",
        "Build",
        configuration={"ProjectName": "build-dev", **configuration},
        inputArtifacts=[{"name": "SourceOutput"}],
        outputArtifacts=[{"name": "BuildOutput"}],
        namespace="BuildVariables",
    )


def deploy(**configuration: str) -> Json:
    """Return the shipped deploy action."""
    return action(
        "Deploy",
        "CodeDeployToECS",
        "Deploy",
        configuration={
            "ApplicationName": "application-dev",
            "DeploymentGroupName": "deployment-group-dev",
            "TaskDefinitionTemplateArtifact": "BuildOutput",
            "AppSpecTemplateArtifact": "BuildOutput",
            "Image1ArtifactName": "BuildOutput",
            "Image1ContainerName": "IMAGE1_NAME",
            **configuration,
        },
        inputArtifacts=[{"name": "BuildOutput"}],
    )


def stage(name: str, *actions: Json) -> Json:
    """Return the declaration of a stage."""
    return {"name": name, "actions": list(actions)}


def declaration(**changes: Any) -> Json:
    """Return the shipped pipeline's declaration, with changes."""
    return {
        "name": "pipeline-dev",
        "roleArn": PIPELINE_ROLE,
        "artifactStore": {
            "type": "S3",
            "location": "artifacts-dev",
            "encryptionKey": {"id": ACCOUNT_KEY, "type": "KMS"},
        },
        "pipelineType": "V2",
        "executionMode": "SUPERSEDED",
        "stages": [stage("Source", source()), stage("Build", build()), stage("Deploy", deploy())],
        **changes,
    }


def with_build(**configuration: str) -> list[dict[str, Any]]:
    return [stage("Source", source()), stage("Build", build(**configuration))]
