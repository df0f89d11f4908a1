"""The build action: one build of a CodeBuild project, from and to the artifact bucket."""

import contextlib
import json
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codepipeline.action_context import (
    ActionAbandonedError,
    ActionFailedError,
    Work,
    is_denied,
)
from local_aws.services.codepipeline.artifacts import Artifact

Build = dict[str, Any]


def run_build(work: Work) -> None:
    """Start the build, follow it to its end and take over what it exported; raises when it did not succeed.

    An execution that is abandoned, or an action that times out, stops the build.
    """
    codebuild = work.client("codebuild")
    # Known after a restart: the build that has begun is followed.
    build = _follow(work, codebuild, work.run.external_id or _start(work, codebuild))
    exported = build.get("exportedEnvironmentVariables", [])
    work.note(variables={item["name"]: item["value"] for item in exported})
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailedError("JobFailed", _why(build))


def _start(work: Work, codebuild: Any) -> str:
    project = work.configuration["ProjectName"]
    console = f"https://console.aws.amazon.com/codebuild/home?region={work.context.region}#"
    work.note(entity_url=f"{console}/projects/{project}/view")
    try:
        build_id: str = codebuild.start_build(**_request(work))["build"]["id"]
    except ClientError as error:
        code = "PermissionError" if is_denied(error) else "ConfigurationError"
        message = error.response["Error"].get("Message", "")
        raise ActionFailedError(
            code,
            f"Error calling startBuild: {message}"
            f" (Service: AWSCodeBuild; Error Code: {error.response['Error']['Code']})",
        ) from error
    work.note(external_id=build_id, external_url=f"{console}/builds/{build_id}/view/new")
    return build_id


def _follow(work: Work, codebuild: Any, build_id: str) -> Build:
    while True:
        try:
            build: Build = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
            if build.get("buildComplete") or build["buildStatus"] != "IN_PROGRESS":
                return build
            work.pause()
        except (ActionAbandonedError, ActionFailedError):
            # It may have ended, or be deleted, meanwhile.
            with contextlib.suppress(ClientError):
                codebuild.stop_build(id=build_id)
            raise


def _request(work: Work) -> dict[str, Any]:
    inputs, outputs = work.run.inputs, work.run.outputs
    primary = work.input(work.configuration.get("PrimarySource", inputs[0].name))
    request: dict[str, Any] = {
        "projectName": work.configuration["ProjectName"],
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": primary.location,
        "idempotencyToken": work.run.id,
        "environmentVariablesOverride": _environment(work),
        "artifactsOverride": _output(outputs[0]) if len(outputs) == 1 else {"type": "NO_ARTIFACTS"},
    }
    # What a build puts into the artifact store is encrypted with the store's key, not the project's.
    if key_id := work.execution.pipeline.key_id:
        request["encryptionKeyOverride"] = key_id
    if primary.revision:
        request["sourceVersion"] = primary.revision
    others = [item for item in inputs if item is not primary]
    if others:
        request["secondarySourcesOverride"] = [
            {"type": "S3", "location": item.location, "sourceIdentifier": item.name} for item in others
        ]
    if len(outputs) > 1:
        request["secondaryArtifactsOverride"] = [
            {**_output(item), "artifactIdentifier": item.name} for item in outputs
        ]
    return request


def _output(artifact: Artifact) -> dict[str, Any]:
    return {
        "type": "S3",
        "location": artifact.bucket,
        "path": artifact.folder,
        "name": artifact.file,
        "packaging": "ZIP",
        "namespaceType": "NONE",
    }


def _environment(work: Work) -> list[dict[str, str]]:
    declared = work.configuration.get("EnvironmentVariables", "[]")
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


def _why(build: Build) -> str:
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
