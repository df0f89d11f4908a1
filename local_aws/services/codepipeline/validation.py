"""The rules of a pipeline's structure, each refused in AWS's words.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html and "Quotas".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codepipeline.providers import PROVIDERS, Provider
from local_aws.services.codepipeline.variables import RESERVED, references

Declared = Mapping[str, Any]

MOST_STAGES = 50
LONGEST_VALUE = 1000
_NAME = re.compile(r"[A-Za-z0-9.@\-_]{1,100}")
_ARTIFACT = re.compile(r"[A-Za-z0-9_\-]{1,100}")


def check_stages(pipeline: Declared) -> None:
    """Check number and names of the stages, and that only the first holds Source actions."""
    stages = pipeline["stages"]
    if len(stages) < 2:
        raise _structure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > MOST_STAGES:
        raise _structure(f"Pipeline has {len(stages)} stages. There should be a maximum of {MOST_STAGES}")
    if repeated := _repeated(stage["name"] for stage in stages):
        raise _stage(f"Stage names must be unique within a pipeline. {repeated} has been used more than once")
    for position, stage in enumerate(stages):
        if not _NAME.fullmatch(stage["name"]):
            raise _stage(f"Stage name {stage['name']!r} does not match [A-Za-z0-9.@\\-_]+ (1-100 characters)")
        if not stage["actions"]:
            raise _stage(f"Stage {stage['name']} must have at least one action")
        categories = {action["actionTypeId"]["category"] for action in stage["actions"]}
        if position == 0 and categories != {"Source"}:
            raise _structure("Pipeline should start with a stage that only contains source actions")
        if position > 0 and "Source" in categories:
            raise _structure(
                "Source actions are allowed only in the first stage of a pipeline,"
                f" stage {stage['name']} contains one"
            )


def check_actions(pipeline: Declared, region: str) -> None:
    """Check every action's name, type, configuration and number of artifacts."""
    for stage in pipeline["stages"]:
        if repeated := _repeated(action["name"] for action in stage["actions"]):
            raise _stage(
                f"Action names must be unique within a stage. {repeated} has been used more than once"
                f" in stage {stage['name']}"
            )
        for action in stage["actions"]:
            if not _NAME.fullmatch(action["name"]):
                raise _action(f"Action name {action['name']!r} does not match [A-Za-z0-9.@\\-_]+")
            if not 1 <= action["runOrder"] <= 999:
                raise _action(f"runOrder {action['runOrder']} of action {action['name']} is not in 1-999")
            provider = _provider(action, region)
            _check_configuration(action, provider)
            _check_counts(action, provider)


def _provider(action: Declared, region: str) -> Provider:
    kind = action["actionTypeId"]
    provider = PROVIDERS.get((kind["category"], kind["provider"]))
    if provider is None or kind["owner"] != "AWS" or kind["version"] != "1":
        raise _action(
            f"ActionType (Category: '{kind['category']}', Provider: '{kind['provider']}',"
            f" Owner: '{kind['owner']}', Version: '{kind['version']}') in action '{action['name']}'"
            f" is not available in region '{region.upper().replace('-', '_')}'"
        )
    return provider


def _check_configuration(action: Declared, provider: Provider) -> None:
    name, configuration = action["name"], action["configuration"]
    for key, value in configuration.items():
        if key not in provider.required | provider.optional:
            raise _action(f"Action configuration for action '{name}' contains unknown configuration '{key}'")
        # pitfall D4: a long EnvironmentVariables value is the usual way to meet this.
        if not 1 <= len(value) <= LONGEST_VALUE:
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value at 'configuration.{key}' of action '{name}' failed to"
                " satisfy constraint: Map value must satisfy constraint: [Member must have length less than"
                f" or equal to {LONGEST_VALUE}, Member must have length greater than or equal to 1]",
            )
        if provider.refused.get(key) == value.lower() or provider.refused.get(key) == value:
            raise AwsError(
                "UnsupportedOperation", f"local_aws does not implement {key} {value} of action '{name}'", 501
            )
    for key in sorted(provider.required - set(configuration)):
        raise _action(f"Action configuration for action '{name}' is missing required configuration '{key}'")


def _check_counts(action: Declared, provider: Provider) -> None:
    for kind, (least, most) in (("input", provider.inputs), ("output", provider.outputs)):
        count = len(action[f"{kind}Artifacts"])
        if count < least:
            raise _action(
                f"Action {action['name']} declares {count} {kind} artifacts,"
                f" which is less than the minimum count of {least}"
            )
        if count > most:
            raise _action(
                f"Action {action['name']} declares {count} {kind} artifacts,"
                f" which is more than the maximum count of {most}"
            )


def check_artifacts(pipeline: Declared) -> None:
    """Check that an artifact is produced once, before it is consumed, and that references name an input."""
    produced: set[str] = set()
    for actions in _in_order(pipeline):
        for action in actions:
            inputs = {item["name"] for item in action["inputArtifacts"]}
            for name in sorted(inputs - produced):
                raise _action(
                    f"Input Artifact Bundle {name} in action {action['name']} is not declared as Output"
                    " Artifact Bundle in any of the preceding actions"
                )
            _check_named_inputs(action, inputs)
        for name in [item["name"] for action in actions for item in action["outputArtifacts"]]:
            if not _ARTIFACT.fullmatch(name):
                raise _action(f"Artifact name {name!r} does not match [A-Za-z0-9_\\-]+ (1-100 characters)")
            if name in produced:
                raise _action(
                    "Output Artifact Bundle name must be unique within the pipeline."
                    f" {name} has been used more than once"
                )
            produced.add(name)


def _check_named_inputs(action: Declared, inputs: set[str]) -> None:
    configuration = action["configuration"]
    for key, value in configuration.items():
        # `...Artifact` and `...ArtifactName` of CodeDeployToECS, `PrimarySource` of CodeBuild.
        if key.endswith(("Artifact", "ArtifactName", "PrimarySource")) and value not in inputs:
            raise _action(
                f"Action configuration '{key}' of action '{action['name']}' must be the name of one of the"
                f" input artifacts to the action, {value} is not"
            )
    is_build = action["actionTypeId"]["provider"] == "CodeBuild"
    if is_build and len(inputs) > 1 and "PrimarySource" not in configuration:
        raise _action(
            f"Action configuration for action '{action['name']}' is missing required configuration"
            " 'PrimarySource', as the action has more than one input artifact"
        )


def check_namespaces(pipeline: Declared) -> None:
    """Check that namespaces are unique and that every `#{namespace.key}` names one that comes before."""
    namespaces: set[str] = {"codepipeline"}
    if pipeline.get("variables"):
        namespaces.add("variables")
    for actions in _in_order(pipeline):
        for action in actions:
            for key, value in action["configuration"].items():
                _check_references(action, key, value, namespaces)
        for action in actions:
            namespace = action.get("namespace")
            if namespace in namespaces | RESERVED:
                raise _action(
                    "Namespaces must be unique across the pipeline definition. The following occur more"
                    f" than once in the pipeline.\nActionName=[{action['name']}], Namespace=[{namespace}]"
                )
            if namespace:
                namespaces.add(namespace)


def _check_references(action: Declared, key: str, value: str, namespaces: set[str]) -> None:
    for reference in references(value):
        namespace, dot, name = reference.partition(".")
        if not dot or not name or namespace not in namespaces:
            raise _action(
                "Valid format for a pipeline execution variable reference is a namespace and a key separated"
                " by a period (.). The following pipeline execution variables are referencing a namespace"
                f" that does not exist.\nActionName=[{action['name']}], ActionConfigurationKey=[{key}],"
                f" VariableReferenceText=[{reference}]"
            )


def _in_order(pipeline: Declared) -> Iterator[list[Declared]]:
    """Yield the actions that run side by side, in the order in which they run."""
    for stage in pipeline["stages"]:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            yield [action for action in stage["actions"] if action["runOrder"] == order]


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _structure(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def _stage(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)


def _action(message: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", message)
