"""The deploy action CodeDeployToECS: registers a task definition and runs a blue/green deployment.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
"""

import json
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from local_aws.core.clients import is_denied
from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.artifacts import artifact_size, read_file
from local_aws.services.codepipeline.errors import (
    ActionFailedError,
    ArtifactError,
    error_message,
)

# AWS's quota of an input artifact of this action (pitfall D3).
MAX_ARTIFACT_SIZE = 3 * 1024 * 1024
IMAGE_FILE = "imageDetail.json"
FINAL_STATUSES = frozenset({"Succeeded", "Failed", "Stopped"})


def run_deploy(action: ActionContext) -> None:
    """Register the task definition, deploy it and wait until the old tasks are terminated (pitfall E2).

    An abandoned deployment continues in CodeDeploy, as on AWS: "the action provider continues".
    """
    if action.run.resumed and not action.run.external_id:
        action.update(external_id=_find_deployment(action))
    _wait(action, action.run.external_id or _start(action))


def _find_deployment(action: ActionContext) -> str | None:
    """Return the deployment that this action created before a restart and had not recorded yet, if any.

    CreateDeployment has no idempotency token. The action's role is not used: it need not allow the listing.
    """
    deployments = action.context.client("codedeploy").list_deployments(
        applicationName=action.configuration["ApplicationName"],
        deploymentGroupName=action.configuration["DeploymentGroupName"],
        createTimeRange={"start": action.run.started},
    )["deployments"]
    return str(deployments[-1]) if deployments else None


def _start(action: ActionContext) -> str:
    configuration = action.configuration
    definition = _read_template(action, "TaskDefinitionTemplate", "taskdef.json", "task definition")
    for number in range(1, 5):
        if placeholder := configuration.get(f"Image{number}ContainerName"):
            uri = _image_uri(action, configuration[f"Image{number}ArtifactName"])
            definition = definition.replace(f"<{placeholder}>", uri)
    spec = _read_template(action, "AppSpecTemplate", "appspec.yaml", "AppSpec")
    arn = _register(action, definition)
    deployment_id = _deploy(action, spec.replace("<TASK_DEFINITION>", arn))
    console = f"https://console.aws.amazon.com/codedeploy/home?region={action.context.region}#"
    action.update(external_id=deployment_id, external_url=f"{console}/deployments/{deployment_id}")
    return deployment_id


def _read_template(action: ActionContext, prefix: str, default: str, kind: str) -> str:
    name = action.configuration[f"{prefix}Artifact"]
    path = action.configuration.get(f"{prefix}Path", default)
    message = f"Exception while trying to read the {kind} artifact file from: {name}"
    return _read_file(action, name, path, message)


def _image_uri(action: ActionContext, name: str) -> str:
    message = f"Exception while trying to read the image artifact file from the artifact: {name}"
    content = _read_file(action, name, IMAGE_FILE, message)
    try:
        return str(json.loads(content)["ImageURI"])
    except (ValueError, KeyError, TypeError) as error:
        raise ActionFailedError("ConfigurationError", message) from error


def _read_file(action: ActionContext, name: str, path: str, message: str) -> str:
    s3, artifact = action.client("s3"), action.input(name)
    try:
        if artifact_size(s3, artifact) > MAX_ARTIFACT_SIZE:
            raise ActionFailedError("ConfigurationError", message)
        return read_file(s3, artifact, path)
    except ArtifactError as error:
        raise ActionFailedError("ConfigurationError", message) from error


def _register(action: ActionContext, definition: str) -> str:
    try:
        request = json.loads(definition)
        answer = action.client("ecs").register_task_definition(**request)
    except (ValueError, TypeError, ParamValidationError) as error:
        # For example a field that only DescribeTaskDefinition returns (pitfall D2).
        raise ActionFailedError(
            "ConfigurationError", f"The task definition is not a valid RegisterTaskDefinition input: {error}"
        ) from error
    except ClientError as error:
        raise _service_error(error, "ECS") from error
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def _deploy(action: ActionContext, spec: str) -> str:
    configuration = action.configuration
    try:
        answer = action.client("codedeploy").create_deployment(
            applicationName=configuration["ApplicationName"],
            deploymentGroupName=configuration["DeploymentGroupName"],
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}},
        )
    except ClientError as error:
        raise _service_error(error, "CodeDeploy") from error
    return str(answer["deploymentId"])


def _service_error(error: ClientError, service: str) -> ActionFailedError:
    if is_denied(error):
        # AWS's message does not name the action; CloudTrail does (pitfall D5).
        return ActionFailedError(
            "PermissionError", f"The provided role does not have sufficient permissions to access {service}"
        )
    return ActionFailedError("ConfigurationError", error_message(error))


def _wait(action: ActionContext, deployment_id: str) -> None:
    codedeploy = action.client("codedeploy")
    while True:
        info: dict[str, Any] = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        if info["status"] in FINAL_STATUSES:
            break
        action.pause()
    if info["status"] != "Succeeded":
        raise ActionFailedError("JobFailed", f"Deployment {deployment_id} {info['status'].lower()}")
    action.update(summary="Deployment Succeeded")
