"""The deploy action ECS: a rolling update of a service to the images of an image definitions file.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
"""

import json
import time
from typing import Any

from local_aws.services.codepipeline.action_context import MINUTE, ActionContext
from local_aws.services.codepipeline.artifacts import read_file
from local_aws.services.codepipeline.errors import ActionFailedError, ArtifactError

FILE = "imagedefinitions.json"
# What DescribeTaskDefinition returns, and RegisterTaskDefinition does not take.
RETURNED_ONLY = frozenset(
    {
        *("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities"),
        *("registeredAt", "registeredBy", "deregisteredAt"),
    }
)


def run_ecs_deploy(action: ActionContext) -> None:
    """Update the service to a copy of its task definition with the new images, and wait until it is steady.

    After a restart of local_aws, the action waits for the update that it had recorded.
    """
    ecs = action.client("ecs")
    definition = action.run.external_id or _update(action, ecs, _images(action))
    minutes = float(action.configuration.get("DeploymentTimeout", "60"))
    while not _is_deployed(_service(action, ecs), definition):
        if time.monotonic() - action.started > minutes * MINUTE:
            raise ActionFailedError("JobFailed", f"The deployment took longer than {minutes:g} minutes")
        action.pause()
    action.update(summary="Deployment Succeeded")


def _images(action: ActionContext) -> dict[str, str]:
    """Return the image of each container that the file names."""
    path, artifact = action.configuration.get("FileName", FILE), action.run.inputs[0]
    try:
        given = json.loads(read_file(action.client("s3"), artifact, path))
        return {each["name"]: each["imageUri"] for each in given}
    except ArtifactError as error:
        message = f"Did not find the image definition file {path} in the input artifacts ZIP file."
        raise ActionFailedError("ConfigurationError", f"{message} {error}") from error
    except (ValueError, TypeError, KeyError) as error:
        # https://github.com/aws/aws-cdk/issues/8894
        message = f"The image definition file {path} contains invalid JSON format"
        raise ActionFailedError("ConfigurationError", message) from error


def _service(action: ActionContext, ecs: Any) -> dict[str, Any]:
    cluster, name = action.configuration["ClusterName"], action.configuration["ServiceName"]
    found: list[dict[str, Any]] = ecs.describe_services(cluster=cluster, services=[name])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise ActionFailedError("ConfigurationError", f"Cluster {cluster} has no active service {name}")
    return found[0]


def _update(action: ActionContext, ecs: Any, images: dict[str, str]) -> str:
    """Register the copy, update the service, and return the ARN of the task definition."""
    current = _service(action, ecs)["taskDefinition"]
    answer = ecs.describe_task_definition(taskDefinition=current, include=["TAGS"])
    definition = {key: value for key, value in answer["taskDefinition"].items() if key not in RETURNED_ONLY}
    containers = {each["name"]: each for each in definition["containerDefinitions"]}
    if unknown := images.keys() - containers:
        message = f"The task definition {current} has no container named {', '.join(sorted(unknown))}"
        raise ActionFailedError("ConfigurationError", message)
    for name, image in images.items():
        containers[name]["image"] = image
    tags = {"tags": answer["tags"]} if answer.get("tags") else {}
    registered = ecs.register_task_definition(**definition, **tags)
    arn = str(registered["taskDefinition"]["taskDefinitionArn"])
    configuration = action.configuration
    ecs.update_service(
        cluster=configuration["ClusterName"], service=configuration["ServiceName"], taskDefinition=arn
    )
    action.update(external_id=arn)
    return arn


def _is_deployed(service: dict[str, Any], definition: str) -> bool:
    deployments = [(each["taskDefinition"], each["rolloutState"]) for each in service["deployments"]]
    return deployments == [(definition, "COMPLETED")]
