"""The build action CodeBuild: runs a build of a project, with its input and output in the artifact bucket.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from botocore.exceptions import ClientError

from local_aws.core.clients import is_denied
from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.errors import ActionAbandonedError, ActionFailedError


class ArtifactsRequest(TypedDict):
    """StartBuild's `artifactsOverride`, or an item of its `secondaryArtifactsOverride`."""

    type: str
    location: str
    path: str
    name: str
    packaging: str
    namespaceType: str
    artifactIdentifier: NotRequired[str]


def run_build(action: ActionContext) -> None:
    """Run a build and return its exported variables; raises `ActionFailedError` if it does not succeed.

    The build is stopped when the execution is abandoned or when the action times out.
    """
    codebuild = action.client("codebuild")
    # After a restart of local_aws the build is already started.
    build = _wait(action, codebuild, action.run.external_id or _start(action, codebuild))
    exported = build.get("exportedEnvironmentVariables", [])
    action.update(variables={item["name"]: item["value"] for item in exported})
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailedError("JobFailed", _failure_message(build))


def _start(action: ActionContext, codebuild: Any) -> str:
    project = action.configuration["ProjectName"]
    console = f"https://console.aws.amazon.com/codebuild/home?region={action.context.region}#"
    action.update(entity_url=f"{console}/projects/{project}/view")
    try:
        build_id: str = codebuild.start_build(**_start_arguments(action))["build"]["id"]
    except ClientError as error:
        code = "PermissionError" if is_denied(error) else "ConfigurationError"
        message = error.response["Error"].get("Message", "")
        raise ActionFailedError(
            code,
            f"Error calling startBuild: {message}"
            f" (Service: AWSCodeBuild; Error Code: {error.response['Error']['Code']})",
        ) from error
    action.update(external_id=build_id, external_url=f"{console}/builds/{build_id}/view/new")
    return build_id


def _wait(action: ActionContext, codebuild: Any, build_id: str) -> Mapping[str, Any]:
    while True:
        try:
            build: Mapping[str, Any] = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
            if build.get("buildComplete") or build["buildStatus"] != "IN_PROGRESS":
                return build
            action.pause()
        except (ActionAbandonedError, ActionFailedError):
            # The build may have ended, or its project may be deleted, in the meantime.
            with contextlib.suppress(ClientError):
                codebuild.stop_build(id=build_id)
            raise


def _start_arguments(action: ActionContext) -> dict[str, Any]:
    inputs, outputs = action.run.inputs, action.run.outputs
    primary = action.input(action.configuration.get("PrimarySource", inputs[0].name))
    arguments: dict[str, Any] = {
        "projectName": action.configuration["ProjectName"],
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": primary.location,
        "idempotencyToken": action.run.id,
        "environmentVariablesOverride": _environment(action),
        "artifactsOverride": _artifacts_request(outputs[0])
        if len(outputs) == 1
        else {"type": "NO_ARTIFACTS"},
    }
    # A build's artifacts in the artifact store are encrypted with the store's key, not with the project's.
    if key_id := action.execution.declaration.key_id:
        arguments["encryptionKeyOverride"] = key_id
    if primary.revision:
        arguments["sourceVersion"] = primary.revision
    if len(inputs) > 1:
        arguments["secondarySourcesOverride"] = _secondary_sources(inputs, primary)
    if len(outputs) > 1:
        arguments["secondaryArtifactsOverride"] = _secondary_artifacts(outputs)
    return arguments


def _secondary_sources(inputs: list[Artifact], primary: Artifact) -> list[dict[str, str]]:
    return [
        {"type": "S3", "location": item.location, "sourceIdentifier": item.name}
        for item in inputs
        if item is not primary
    ]


def _secondary_artifacts(outputs: list[Artifact]) -> list[ArtifactsRequest]:
    return [{**_artifacts_request(item), "artifactIdentifier": item.name} for item in outputs]


def _artifacts_request(artifact: Artifact) -> ArtifactsRequest:
    return {
        "type": "S3",
        "location": artifact.bucket,
        "path": artifact.folder,
        "name": artifact.file,
        "packaging": "ZIP",
        "namespaceType": "NONE",
    }


def _environment(action: ActionContext) -> list[dict[str, str]]:
    declared = action.configuration.get("EnvironmentVariables", "[]")
    try:
        return [
            {"name": item["name"], "value": item["value"], "type": item.get("type", "PLAINTEXT")}
            for item in json.loads(declared)
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise ActionFailedError(
            "ConfigurationError",
            "The EnvironmentVariables configuration is not a JSON array of objects with name, value and type",
        ) from error


def _failure_message(build: Mapping[str, Any]) -> str:
    message = f"Build terminated with state: {build['buildStatus']}"
    for phase in build.get("phases", []):
        contexts = phase.get("contexts") or []
        if phase.get("phaseStatus") not in (None, "SUCCEEDED") and contexts:
            reason = contexts[0]
            return (
                f"{message}. Phase: {phase['phaseType']}, Code: {reason.get('statusCode', '')},"
                f" Message: {reason.get('message', '')}"
            )
    return message
