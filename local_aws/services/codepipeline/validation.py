"""The checks that a pipeline's declaration, its tags and the arguments of a start pass, with AWS's messages.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html and limits.html
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codepipeline.data_flow import check_artifacts, check_namespaces
from local_aws.services.codepipeline.errors import (
    invalid_action,
    invalid_request,
    invalid_stage,
    invalid_structure,
    unsupported,
)
from local_aws.services.codepipeline.providers import PROVIDERS, UNSUPPORTED_PROVIDERS, Provider

# An API structure, as PipelineDeclaration or ActionDeclaration, with its defaults filled in.
Shape = Mapping[str, Any]

MAX_STAGES = 50
MAX_TAGS = 50
MAX_VALUE_LENGTH = 1000
_NAME = re.compile(r"[A-Za-z0-9.@\-_]{1,100}")
# Settings that AWS has and local_aws does not implement. Ignoring them would silently lose a setting.
_UNSUPPORTED = {"triggers": "triggers", "artifactStores": "artifactStores (cross-region actions)"}
_UNSUPPORTED_IN_STAGE = ("blockers", "onSuccess")
_UNSUPPORTED_IN_ACTION = ("commands", "outputVariables", "environmentVariables")


def check_pipeline(pipeline: Shape, region: str) -> None:
    """Check a declaration as CreatePipeline does; raises `AwsError`."""
    _check_settings(pipeline)
    for stage in pipeline["stages"]:
        _check_supported(stage, region)
    _check_stages(pipeline["stages"])
    for stage in pipeline["stages"]:
        _check_actions(stage, region)
    check_artifacts(pipeline)
    check_namespaces(pipeline)


def _check_settings(pipeline: Shape) -> None:
    if not _NAME.fullmatch(pipeline["name"]):
        raise invalid_structure(
            f"Pipeline name {pipeline['name']} does not match [A-Za-z0-9.@\\-_]+ (1-100 characters)"
        )
    for key, feature in _UNSUPPORTED.items():
        if pipeline.get(key):
            raise unsupported(feature)
    if "artifactStore" not in pipeline:
        raise invalid_structure("A pipeline must have exactly one of artifactStore and artifactStores")
    mode = pipeline["executionMode"]
    if mode == "PARALLEL":
        raise unsupported("executionMode PARALLEL")
    _check_variables(pipeline)
    if pipeline["pipelineType"] != "V2":
        if mode != "SUPERSEDED":
            raise invalid_structure(f"Execution mode {mode} can only be used with V2 pipelines")
        if pipeline.get("variables"):
            raise invalid_structure("Pipeline variables can only be used with V2 pipelines")


def _check_variables(pipeline: Shape) -> None:
    names = [variable["name"] for variable in pipeline.get("variables", [])]
    if len(set(names)) < len(names):
        raise invalid_structure("Pipeline variable names must be unique")


def _check_supported(stage: Shape, region: str) -> None:
    _refuse_keys(stage, _UNSUPPORTED_IN_STAGE)
    for action in stage["actions"]:
        _refuse_keys(action, _UNSUPPORTED_IN_ACTION)
        if action.get("region", region) != region:
            raise unsupported(f"region {action['region']} of action {action['name']} (cross-region)")


def _refuse_keys(declared: Shape, keys: tuple[str, ...]) -> None:
    for key in keys:
        if declared.get(key):
            raise unsupported(f"{key} of {declared['name']}")


def _check_stages(stages: list[Shape]) -> None:
    """Check the number and the names of the stages, and that only the first one has Source actions."""
    if len(stages) < 2:
        raise invalid_structure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > MAX_STAGES:
        raise invalid_structure(
            f"Pipeline has {len(stages)} stages. There should be a maximum of {MAX_STAGES}"
        )
    if repeated := _repeated(stage["name"] for stage in stages):
        raise invalid_stage(
            f"Stage names must be unique within a pipeline. {repeated} has been used more than once"
        )
    for position, stage in enumerate(stages):
        _check_stage(stage, is_first=position == 0)


def _check_stage(stage: Shape, *, is_first: bool) -> None:
    name = stage["name"]
    if not _NAME.fullmatch(name):
        raise invalid_stage(f"Stage name {name!r} does not match [A-Za-z0-9.@\\-_]+ (1-100 characters)")
    if not stage["actions"]:
        raise invalid_stage(f"Stage {name} must have at least one action")
    categories = {action["actionTypeId"]["category"] for action in stage["actions"]}
    if is_first and categories != {"Source"}:
        raise invalid_structure("Pipeline should start with a stage that only contains source actions")
    if not is_first and "Source" in categories:
        raise invalid_structure(
            f"Source actions are allowed only in the first stage of a pipeline, stage {name} contains one"
        )


def _check_actions(stage: Shape, region: str) -> None:
    """Check the name, the type, the configuration and the number of artifacts of each action."""
    if repeated := _repeated(action["name"] for action in stage["actions"]):
        raise invalid_stage(
            f"Action names must be unique within a stage. {repeated} has been used more than once"
            f" in stage {stage['name']}"
        )
    for action in stage["actions"]:
        if not _NAME.fullmatch(action["name"]):
            raise invalid_action(f"Action name {action['name']!r} does not match [A-Za-z0-9.@\\-_]+")
        if not 1 <= action["runOrder"] <= 999:
            raise invalid_action(f"runOrder {action['runOrder']} of action {action['name']} is not in 1-999")
        provider = _provider(action, region)
        _check_configuration(action, provider)
        _check_artifact_counts(action, provider)


def _provider(action: Shape, region: str) -> Provider:
    action_type = action["actionTypeId"]
    provider = PROVIDERS.get((action_type["category"], action_type["provider"]))
    in_aws = (action_type["category"], action_type["provider"]) in UNSUPPORTED_PROVIDERS
    if action_type["owner"] != "AWS" or in_aws:
        provider_name = f"{action_type['category']} provider {action_type['owner']}/{action_type['provider']}"
        raise unsupported(f"{provider_name} (action {action['name']})")
    if provider is None or action_type["version"] != "1":
        raise invalid_action(
            f"ActionType (Category: '{action_type['category']}', Provider: '{action_type['provider']}',"
            f" Owner: '{action_type['owner']}', Version: '{action_type['version']}')"
            f" in action '{action['name']}'"
            f" is not available in region '{region.upper().replace('-', '_')}'"
        )
    return provider


def _check_configuration(action: Shape, provider: Provider) -> None:
    name, configuration = action["name"], action["configuration"]
    for key, value in configuration.items():
        if key not in provider.required | provider.optional:
            raise invalid_action(
                f"Action configuration for action '{name}' contains unknown configuration '{key}'"
            )
        # pitfall D4: the usual cause is a long value of EnvironmentVariables.
        if not 1 <= len(value) <= MAX_VALUE_LENGTH:
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value at 'configuration.{key}' of action '{name}' failed to"
                " satisfy constraint: Map value must satisfy constraint: [Member must have length less than"
                f" or equal to {MAX_VALUE_LENGTH}, Member must have length greater than or equal to 1]",
            )
        if provider.unsupported.get(key) == value.lower() or provider.unsupported.get(key) == value:
            raise AwsError(
                "UnsupportedOperation", f"local_aws does not implement {key} {value} of action '{name}'", 501
            )
    for key in sorted(provider.required - set(configuration)):
        raise invalid_action(
            f"Action configuration for action '{name}' is missing required configuration '{key}'"
        )


def _check_artifact_counts(action: Shape, provider: Provider) -> None:
    for kind, (least, most) in (("input", provider.inputs), ("output", provider.outputs)):
        count = len(action[f"{kind}Artifacts"])
        if count < least:
            raise invalid_action(
                f"Action {action['name']} declares {count} {kind} artifacts,"
                f" which is less than the minimum count of {least}"
            )
        if count > most:
            raise invalid_action(
                f"Action {action['name']} declares {count} {kind} artifacts,"
                f" which is more than the maximum count of {most}"
            )


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def check_tags(items: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags as a dictionary; raises InvalidTagsException or TooManyTagsException."""
    tags = {item["key"]: item["value"] for item in items}
    check_tag_keys(tags)
    if len(tags) > MAX_TAGS:
        raise AwsError("TooManyTagsException", f"The tags limit for a resource ({MAX_TAGS}) is exceeded")
    return tags


def check_tag_keys(keys: Iterable[str]) -> None:
    """Raise InvalidTagsException for a key that is reserved for AWS."""
    if reserved := sorted(key for key in keys if key.lower().startswith("aws:")):
        raise AwsError("InvalidTagsException", f"Tag keys may not begin with aws:, {reserved} do")


def check_revision_overrides(revisions: Iterable[Mapping[str, str]], source_actions: set[str]) -> None:
    """Check `sourceRevisions` of StartPipelineExecution."""
    for revision in revisions:
        if revision["revisionType"] != "COMMIT_ID" or revision["actionName"] not in source_actions:
            raise invalid_request(
                f"Source revision override {revision['revisionType']} of {revision['actionName']} is not"
                " a COMMIT_ID of a source action of the pipeline"
            )


def resolve_variables(
    declared: Mapping[str, str | None], given: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Return the values of the pipeline's variables; raises ValidationException."""
    overrides = {item["name"]: item["value"] for item in given}
    if unknown := sorted(set(overrides) - set(declared)):
        raise invalid_request(f"Variables {unknown} are not declared by the pipeline")
    defaults = {name: value for name, value in declared.items() if value is not None}
    values = defaults | overrides
    if missing := sorted(set(declared) - set(values)):
        raise invalid_request(f"Variables {missing} have no default and no value was given")
    return values
