"""The deploy action CodeDeployToECS: files of artifacts, a task definition, a blue/green deployment.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
"""

import json
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from local_aws.services.codepipeline.action_context import ActionFailedError, Work, is_denied, words
from local_aws.services.codepipeline.artifacts import ArtifactError, read_file, size

# pitfall D3. AWS's quota of an input artifact of this action.
LARGEST_ARTIFACT = 3 * 1024 * 1024
IMAGE_FILE = "imageDetail.json"
FINAL = frozenset({"Succeeded", "Failed", "Stopped"})


def run_deploy(work: Work) -> None:
    """Register the task definition, deploy it and wait until the old tasks are gone (pitfall E2).

    An abandoned deployment goes on in CodeDeploy, as on AWS: "the action provider continues".
    """
    if work.run.taken_up and not work.run.external_id:
        work.note(external_id=_begun(work))
    _follow(work, work.run.external_id or _start(work))


def _begun(work: Work) -> str | None:
    """Return the deployment that this action had created when local_aws ended, and not noted, if any.

    CreateDeployment has no token by which it would be the same. Not as the role, which may not list them.
    """
    found = work.context.client("codedeploy").list_deployments(
        applicationName=work.configuration["ApplicationName"],
        deploymentGroupName=work.configuration["DeploymentGroupName"],
        createTimeRange={"start": work.run.started},
    )["deployments"]
    return str(found[-1]) if found else None


def _start(work: Work) -> str:
    configuration = work.configuration
    definition = _read(work, "TaskDefinitionTemplate", "taskdef.json", "task definition")
    for number in range(1, 5):
        if placeholder := configuration.get(f"Image{number}ContainerName"):
            uri = _image_uri(work, configuration[f"Image{number}ArtifactName"])
            definition = definition.replace(f"<{placeholder}>", uri)
    spec = _read(work, "AppSpecTemplate", "appspec.yaml", "AppSpec")
    arn = _register(work, definition)
    deployment_id = _deploy(work, spec.replace("<TASK_DEFINITION>", arn))
    console = f"https://console.aws.amazon.com/codedeploy/home?region={work.context.region}#"
    work.note(external_id=deployment_id, external_url=f"{console}/deployments/{deployment_id}")
    return deployment_id


def _read(work: Work, prefix: str, default: str, what: str) -> str:
    name = work.configuration[f"{prefix}Artifact"]
    path = work.configuration.get(f"{prefix}Path", default)
    return _file(work, name, path, f"Exception while trying to read the {what} artifact file from: {name}")


def _image_uri(work: Work, name: str) -> str:
    message = f"Exception while trying to read the image artifact file from the artifact: {name}"
    content = _file(work, name, IMAGE_FILE, message)
    try:
        return str(json.loads(content)["ImageURI"])
    except (ValueError, KeyError, TypeError) as error:
        raise ActionFailedError("ConfigurationError", message) from error


def _file(work: Work, name: str, path: str, message: str) -> str:
    s3, artifact = work.client("s3"), work.input(name)
    try:
        if size(s3, artifact) > LARGEST_ARTIFACT:
            raise ActionFailedError("ConfigurationError", message)
        return read_file(s3, artifact, path)
    except ArtifactError as error:
        raise ActionFailedError("ConfigurationError", message) from error


def _register(work: Work, definition: str) -> str:
    try:
        request = json.loads(definition)
        answer = work.client("ecs").register_task_definition(**request)
    except (ValueError, TypeError, ParamValidationError) as error:
        # Fields that only DescribeTaskDefinition gives (pitfall D2) end here.
        raise ActionFailedError(
            "ConfigurationError", f"The task definition is not a valid RegisterTaskDefinition input: {error}"
        ) from error
    except ClientError as error:
        raise _refused(error, "ECS") from error
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def _deploy(work: Work, spec: str) -> str:
    configuration = work.configuration
    try:
        answer = work.client("codedeploy").create_deployment(
            applicationName=configuration["ApplicationName"],
            deploymentGroupName=configuration["DeploymentGroupName"],
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}},
        )
    except ClientError as error:
        raise _refused(error, "CodeDeploy") from error
    return str(answer["deploymentId"])


def _refused(error: ClientError, service: str) -> ActionFailedError:
    if is_denied(error):
        # pitfall D5: AWS says no more than this; CloudTrail has the rest.
        return ActionFailedError(
            "PermissionError", f"The provided role does not have sufficient permissions to access {service}"
        )
    return ActionFailedError("ConfigurationError", words(error))


def _follow(work: Work, deployment_id: str) -> None:
    codedeploy = work.client("codedeploy")
    while True:
        info: dict[str, Any] = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        if info["status"] in FINAL:
            break
        work.pause()
    if info["status"] != "Succeeded":
        raise ActionFailedError("JobFailed", f"Deployment {deployment_id} {info['status'].lower()}")
    work.note(summary="Deployment Succeeded")
