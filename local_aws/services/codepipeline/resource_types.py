"""AWS::CodePipeline::Pipeline, CloudFormation's pipeline.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-codepipeline-pipeline.html
"""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.codepipeline.execution_api import Executions

# Properties that are no part of CreatePipeline's `pipeline`.
_OURS = frozenset({"Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate"})


def pipeline_type(service: Executions) -> ResourceType:
    """Return how CloudFormation creates, updates and deletes pipelines of `service`."""

    def create(properties: Properties, logical_id: str, stack_name: str) -> tuple[str, dict[str, Any]]:
        name = properties.get("Name") or _generated(stack_name, logical_id)
        params = _params({**properties, "Name": name})
        # Under one lock: a stage held from the start may not let the first execution in.
        with service.lock:
            service.call("CreatePipeline", params)
            service.line(name).marks = _marks(properties)
            try:
                _hold(service, name, {}, properties)
            except AwsError:
                service.call("DeletePipeline", {"name": name})
                raise
        return name, {"Version": "1"}

    def update(name: str, old: Properties, new: Properties) -> dict[str, Any]:
        params = _params({**new, "Name": name})
        with service.lock:
            answer = service.call("UpdatePipeline", {"pipeline": params["pipeline"]})
            _retag(service, name, params.get("tags", []))
            service.line(name).marks = _marks(new)
            _hold(service, name, old, new)
            if _true(new.get("RestartExecutionOnUpdate", False)):
                service.call("StartPipelineExecution", {"name": name})
        return {"Version": str(answer["pipeline"]["version"])}

    def delete(name: str, properties: Properties) -> None:
        service.call("DeletePipeline", {"name": name})

    return ResourceType(create=create, update=update, delete=delete, replaced_by=frozenset({"Name"}))


def _params(properties: Properties) -> dict[str, Any]:
    declaration = {key: value for key, value in properties.items() if key not in _OURS}
    if "ArtifactStores" in declaration:
        raise AwsError(
            "UnsupportedOperation", "local_aws does not implement ArtifactStores (cross-region actions)", 501
        )
    whole: dict[str, Any] = {"pipeline": declaration}
    if "Tags" in properties:
        whole["tags"] = [tag for tag in properties["Tags"] if not _is_mark(tag)]
    return arguments("codepipeline", "CreatePipeline", whole)


def _marks(properties: Properties) -> dict[str, str]:
    """Return CloudFormation's own tags, which it sets past the API: that refuses `aws:` from everybody."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", []) if _is_mark(tag)}


def _is_mark(tag: Mapping[str, str]) -> bool:
    return tag["Key"].startswith("aws:")


def _retag(service: Executions, name: str, tags: list[dict[str, str]]) -> None:
    arn = service.context.arn("codepipeline", name)
    kept = {item["key"] for item in tags}
    gone = [key for key in service.line(name).tags if key not in kept]
    if gone:
        service.call("UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if tags:
        service.call("TagResource", {"resourceArn": arn, "tags": tags})


def _hold(service: Executions, name: str, old: Properties, new: Properties) -> None:
    """Disable the transitions that the template names, enable those that it no longer names."""
    before, after = _transitions(old), _transitions(new)
    stages = {stage.name for stage in service.line(name).pipeline.stages}
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
            raise AwsError(
                "ValidationError",
                f"Encountered unsupported property DisableInboundStageTransitions.{unknown[0]}",
            )
    return {item["StageName"]: item["Reason"] for item in items}


def _true(value: object) -> bool:
    return str(value).lower() == "true"


def _generated(stack_name: str, logical_id: str) -> str:
    chance = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
    return f"{stack_name}-{logical_id}"[:87] + f"-{chance}"
