"""AWS::CodePipeline::Pipeline, CloudFormation's pipeline.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-codepipeline-pipeline.html
"""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.codepipeline.execution_api import ExecutionOperations

# Properties that are not members of PipelineDeclaration.
_NOT_DECLARED = frozenset({"Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate"})


def resource_types(service: ExecutionOperations) -> dict[str, ResourceType]:
    """Return how CloudFormation creates, updates and deletes pipelines of `service`."""

    def create(properties: Properties, logical_id: str, stack_name: str) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or _generate_name(stack_name, logical_id)
        request = _create_arguments({**properties, "Name": name})
        # Under one lock: the first execution must not enter a stage whose transition the template disables.
        with service.lock:
            service.call("CreatePipeline", request)
            service.find_pipeline(name).reserved_tags = _reserved_tags(properties)
            try:
                _set_transitions(service, name, {}, properties)
            except AwsError:
                service.call("DeletePipeline", {"name": name})
                raise
        return name, {"Version": "1"}

    def update(name: str, old: Properties, new: Properties) -> dict[str, Any]:
        request = _create_arguments({**new, "Name": name})
        with service.lock:
            answer = service.call("UpdatePipeline", {"pipeline": request["pipeline"]})
            _update_tags(service, name, request.get("tags", []))
            service.find_pipeline(name).reserved_tags = _reserved_tags(new)
            _set_transitions(service, name, old, new)
            if _is_true(new.get("RestartExecutionOnUpdate", False)):
                service.call("StartPipelineExecution", {"name": name})
        return {"Version": str(answer["pipeline"]["version"])}

    def delete(name: str, properties: Properties) -> None:
        service.call("DeletePipeline", {"name": name})

    pipeline = ResourceType(create=create, update=update, delete=delete, replaced_by=frozenset({"Name"}))
    return {"AWS::CodePipeline::Pipeline": pipeline}


def _create_arguments(properties: Properties) -> dict[str, Any]:
    declaration = {key: value for key, value in properties.items() if key not in _NOT_DECLARED}
    if "ArtifactStores" in declaration:
        raise AwsError(
            "UnsupportedOperation", "local_aws does not implement ArtifactStores (cross-region actions)", 501
        )
    request: dict[str, Any] = {"pipeline": declaration}
    if "Tags" in properties:
        request["tags"] = [tag for tag in properties["Tags"] if not _is_reserved(tag)]
    return arguments("codepipeline", "CreatePipeline", request)


def _reserved_tags(properties: Properties) -> dict[str, str]:
    """Return the tags that CloudFormation itself sets; the API rejects keys that begin with `aws:`."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", []) if _is_reserved(tag)}


def _is_reserved(tag: Mapping[str, str]) -> bool:
    return tag["Key"].startswith("aws:")


def _update_tags(service: ExecutionOperations, name: str, tags: list[dict[str, str]]) -> None:
    arn = service.context.arn("codepipeline", name)
    keys = {item["key"] for item in tags}
    removed = [key for key in service.find_pipeline(name).tags if key not in keys]
    if removed:
        service.call("UntagResource", {"resourceArn": arn, "tagKeys": removed})
    if tags:
        service.call("TagResource", {"resourceArn": arn, "tags": tags})


def _set_transitions(service: ExecutionOperations, name: str, old: Properties, new: Properties) -> None:
    """Disable the transitions that the template lists, enable those that it no longer lists."""
    before, after = _transitions(old), _transitions(new)
    stages = {stage.name for stage in service.find_pipeline(name).declaration.stages}
    inbound = {"pipelineName": name, "transitionType": "Inbound"}
    for stage in sorted((set(before) - set(after)) & stages):
        service.call("EnableStageTransition", {**inbound, "stageName": stage})
    for stage, reason in after.items():
        if before.get(stage) != reason:
            service.call("DisableStageTransition", {**inbound, "stageName": stage, "reason": reason})


def _transitions(properties: Properties) -> dict[str, str]:
    items = properties.get("DisableInboundStageTransitions") or []
    for item in items:
        if unknown := sorted(set(item) - {"StageName", "Reason"}):
            message = f"local_aws does not support the property DisableInboundStageTransitions.{unknown[0]}"
            raise AwsError("UnsupportedOperation", message, 501)
    return {item["StageName"]: item["Reason"] for item in items}


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _generate_name(stack_name: str, logical_id: str) -> str:
    suffix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
    return f"{stack_name}-{logical_id}"[:87] + f"-{suffix}"
