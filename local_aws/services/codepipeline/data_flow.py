"""The checks that artifacts and variables are produced, once, by an action before the ones that use them.

https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.services.codepipeline.errors import invalid_action
from local_aws.services.codepipeline.variables import RESERVED_NAMESPACES, references

Shape = Mapping[str, Any]

_ARTIFACT_NAME = re.compile(r"[A-Za-z0-9_\-]{1,100}")


def check_artifacts(pipeline: Shape) -> None:
    """Check that an artifact is produced once, before it is consumed, and that references name an input."""
    produced: set[str] = set()
    for actions in _run_groups(pipeline):
        for action in actions:
            _check_inputs(action, produced)
        for name in [item["name"] for action in actions for item in action["outputArtifacts"]]:
            _check_output(name, produced)
            produced.add(name)


def _check_inputs(action: Shape, produced: set[str]) -> None:
    inputs = {item["name"] for item in action["inputArtifacts"]}
    for name in sorted(inputs - produced):
        raise invalid_action(
            f"Input Artifact Bundle {name} in action {action['name']} is not declared as Output"
            " Artifact Bundle in any of the preceding actions"
        )
    _check_input_references(action, inputs)


def _check_output(name: str, produced: set[str]) -> None:
    if not _ARTIFACT_NAME.fullmatch(name):
        raise invalid_action(f"Artifact name {name!r} does not match [A-Za-z0-9_\\-]+ (1-100 characters)")
    if name in produced:
        raise invalid_action(
            "Output Artifact Bundle name must be unique within the pipeline."
            f" {name} has been used more than once"
        )


def _check_input_references(action: Shape, inputs: set[str]) -> None:
    configuration = action["configuration"]
    for key, value in configuration.items():
        # `...Artifact` and `...ArtifactName` of CodeDeployToECS, `PrimarySource` of CodeBuild.
        if key.endswith(("Artifact", "ArtifactName", "PrimarySource")) and value not in inputs:
            raise invalid_action(
                f"Action configuration '{key}' of action '{action['name']}' must be the name of one of the"
                f" input artifacts to the action, {value} is not"
            )
    is_build = action["actionTypeId"]["provider"] == "CodeBuild"
    if is_build and len(inputs) > 1 and "PrimarySource" not in configuration:
        raise invalid_action(
            f"Action configuration for action '{action['name']}' is missing required configuration"
            " 'PrimarySource', as the action has more than one input artifact"
        )


def check_namespaces(pipeline: Shape) -> None:
    """Check that namespaces are unique, and that each `#{namespace.key}` refers to an earlier action's."""
    namespaces: set[str] = {"codepipeline"}
    if pipeline.get("variables"):
        namespaces.add("variables")
    for actions in _run_groups(pipeline):
        for action in actions:
            for key, value in action["configuration"].items():
                _check_references(action, key, value, namespaces)
        for action in actions:
            namespace = action.get("namespace")
            if namespace in namespaces | RESERVED_NAMESPACES:
                raise invalid_action(
                    "Namespaces must be unique across the pipeline definition. The following occur more"
                    f" than once in the pipeline.\nActionName=[{action['name']}], Namespace=[{namespace}]"
                )
            if namespace:
                namespaces.add(namespace)


def _check_references(action: Shape, key: str, value: str, namespaces: set[str]) -> None:
    for reference in references(value):
        namespace, dot, name = reference.partition(".")
        if not dot or not name or namespace not in namespaces:
            raise invalid_action(
                "Valid format for a pipeline execution variable reference is a namespace and a key separated"
                " by a period (.). The following pipeline execution variables are referencing a namespace"
                f" that does not exist.\nActionName=[{action['name']}], ActionConfigurationKey=[{key}],"
                f" VariableReferenceText=[{reference}]"
            )


def _run_groups(pipeline: Shape) -> Iterator[list[Shape]]:
    """Yield the actions that run in parallel, group by group, in the order in which they run."""
    for stage in pipeline["stages"]:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            yield [action for action in stage["actions"] if action["runOrder"] == order]
