"""A pipeline's declaration as plain data: read, defaults filled in, and checked before anything runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codepipeline.providers import PROVIDERS, Provider
from local_aws.services.codepipeline.validation import (
    check_actions,
    check_artifacts,
    check_namespaces,
    check_stages,
)

Declaration = dict[str, Any]

# Settings that AWS has and local_aws does not do. Taking them in silence would be a setting lost.
_UNSUPPORTED = {"triggers": "triggers", "artifactStores": "artifactStores (cross-region actions)"}
_UNSUPPORTED_IN_STAGE = ("blockers", "onFailure", "onSuccess", "beforeEntry")
_UNSUPPORTED_IN_ACTION = ("commands", "outputVariables", "environmentVariables")


@dataclass(frozen=True)
class Action:
    """One action of a stage, as declared."""

    name: str
    provider: Provider
    run_order: int
    configuration: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role_arn: str | None
    namespace: str | None
    timeout_minutes: int


@dataclass(frozen=True)
class Stage:
    """One stage: at most one execution is inside it at a time."""

    name: str
    actions: tuple[Action, ...]

    def run_orders(self) -> list[list[Action]]:
        """Return the actions in the order in which they run; those of one list run side by side."""
        orders = sorted({action.run_order for action in self.actions})
        return [[action for action in self.actions if action.run_order == order] for order in orders]


@dataclass(frozen=True)
class Pipeline:
    """A checked pipeline; `declaration` is what GetPipeline answers."""

    name: str
    role_arn: str
    bucket: str
    key_id: str | None
    queued: bool
    stages: tuple[Stage, ...]
    variables: Mapping[str, str | None]
    version: int
    declaration: Declaration

    def stage(self, name: str) -> Stage:
        """Return the stage called `name`; raises StageNotFoundException."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise AwsError(
            "StageNotFoundException", f"The pipeline {self.name} does not have a stage with name {name}"
        )


def parse(declaration: Mapping[str, Any], version: int, region: str) -> Pipeline:
    """Check `declaration` as CreatePipeline does and return it as data; raises `AwsError` in AWS's words."""
    whole = _with_defaults(declaration, version)
    _refuse_unsupported(whole, region)
    check_stages(whole)
    check_actions(whole, region)
    check_artifacts(whole)
    check_namespaces(whole)
    store = whole["artifactStore"]
    return Pipeline(
        name=whole["name"],
        role_arn=whole["roleArn"],
        bucket=store["location"],
        key_id=store.get("encryptionKey", {}).get("id"),
        queued=whole["executionMode"] == "QUEUED",
        stages=tuple(
            Stage(stage["name"], tuple(_action(action) for action in stage["actions"]))
            for stage in whole["stages"]
        ),
        variables={item["name"]: item.get("defaultValue") for item in whole.get("variables", [])},
        version=version,
        declaration=whole,
    )


def _with_defaults(declaration: Mapping[str, Any], version: int) -> Declaration:
    whole: Declaration = {"pipelineType": "V1", "executionMode": "SUPERSEDED", **declaration}
    whole["version"] = version
    whole["stages"] = [
        {
            **stage,
            "actions": [
                {
                    "runOrder": 1,
                    "configuration": {},
                    "inputArtifacts": [],
                    "outputArtifacts": [],
                    **action,
                }
                for action in stage["actions"]
            ],
        }
        for stage in declaration["stages"]
    ]
    return whole


def _refuse_unsupported(whole: Declaration, region: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.@\-_]{1,100}", whole["name"]):
        raise _invalid(f"Pipeline name {whole['name']} does not match [A-Za-z0-9.@\\-_]+ (1-100 characters)")
    for key, what in _UNSUPPORTED.items():
        if whole.get(key):
            raise unsupported(what)
    if "artifactStore" not in whole:
        raise _invalid("A pipeline must have exactly one of artifactStore and artifactStores")
    if whole["executionMode"] == "PARALLEL":
        raise unsupported("executionMode PARALLEL")
    if whole["executionMode"] != "SUPERSEDED" and whole["pipelineType"] != "V2":
        raise _invalid(f"Execution mode {whole['executionMode']} can only be used with V2 pipelines")
    if whole.get("variables") and whole["pipelineType"] != "V2":
        raise _invalid("Pipeline variables can only be used with V2 pipelines")
    _refuse_unsupported_stages(whole, region)


def _refuse_unsupported_stages(whole: Declaration, region: str) -> None:
    for stage in whole["stages"]:
        _refuse_in(stage, _UNSUPPORTED_IN_STAGE)
        for action in stage["actions"]:
            _refuse_in(action, _UNSUPPORTED_IN_ACTION)
            if action.get("region", region) != region:
                raise unsupported(f"region {action['region']} of action {action['name']} (cross-region)")


def _refuse_in(declared: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if declared.get(key):
            raise unsupported(f"{key} of {declared['name']}")


def unsupported(what: str) -> AwsError:
    """Return the refusal of something that AWS does and local_aws does not."""
    return AwsError("UnsupportedOperation", f"local_aws does not implement CodePipeline's {what}", 501)


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def _action(declared: Mapping[str, Any]) -> Action:
    kind = declared["actionTypeId"]
    provider = PROVIDERS[kind["category"], kind["provider"]]
    return Action(
        name=declared["name"],
        provider=provider,
        run_order=declared["runOrder"],
        configuration=dict(declared["configuration"]),
        inputs=tuple(item["name"] for item in declared["inputArtifacts"]),
        outputs=tuple(item["name"] for item in declared["outputArtifacts"]),
        role_arn=declared.get("roleArn"),
        namespace=declared.get("namespace"),
        timeout_minutes=declared.get("timeoutInMinutes", provider.timeout_minutes),
    )
