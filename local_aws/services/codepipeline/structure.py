"""A pipeline's declaration as typed data, with its defaults filled in.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.services.codepipeline.conditions import RuleDeclaration, automatic_retry, entry_rules
from local_aws.services.codepipeline.errors import stage_not_found
from local_aws.services.codepipeline.providers import PROVIDERS, Provider
from local_aws.services.codepipeline.validation import check_pipeline

# API structure PipelineDeclaration.
PipelineShape = dict[str, Any]


@dataclass(frozen=True)
class ActionDeclaration:
    """One action of a stage."""

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
class StageDeclaration:
    """One stage: at most one execution is in it at a time."""

    name: str
    actions: tuple[ActionDeclaration, ...]
    entry_rules: tuple[RuleDeclaration, ...] = ()
    # FAILED_ACTIONS or ALL_ACTIONS: the stage is retried once by itself when an action of it has failed.
    retry_mode: str | None = None

    def run_orders(self) -> list[list[ActionDeclaration]]:
        """Return the actions grouped by run order; the actions of one group run in parallel."""
        orders = sorted({action.run_order for action in self.actions})
        return [[action for action in self.actions if action.run_order == order] for order in orders]


@dataclass(frozen=True)
class PipelineDeclaration:
    """One version of a pipeline; `shape` is the API structure that GetPipeline returns."""

    name: str
    role_arn: str
    bucket: str
    key_id: str | None
    queued: bool
    stages: tuple[StageDeclaration, ...]
    variables: Mapping[str, str | None]
    version: int
    shape: PipelineShape

    def stage(self, name: str) -> StageDeclaration:
        """Return the stage called `name`; raises StageNotFoundException."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise stage_not_found(self.name, name)


def parse(declaration: Mapping[str, Any], version: int, region: str) -> PipelineDeclaration:
    """Check `declaration` as CreatePipeline does and return it as data; raises `AwsError`."""
    shape = _with_defaults(declaration, version)
    check_pipeline(shape, region)
    store = shape["artifactStore"]
    return PipelineDeclaration(
        name=shape["name"],
        role_arn=shape["roleArn"],
        bucket=store["location"],
        key_id=store.get("encryptionKey", {}).get("id"),
        queued=shape["executionMode"] == "QUEUED",
        stages=tuple(_stage(stage, shape["pipelineType"]) for stage in shape["stages"]),
        variables={item["name"]: item.get("defaultValue") for item in shape.get("variables", [])},
        version=version,
        shape=shape,
    )


def _with_defaults(declaration: Mapping[str, Any], version: int) -> PipelineShape:
    action_defaults = {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": []}
    stages = [
        {**stage, "actions": [{**action_defaults, **action} for action in stage["actions"]]}
        for stage in declaration["stages"]
    ]
    return {
        "pipelineType": "V1",
        "executionMode": "SUPERSEDED",
        **declaration,
        "version": version,
        "stages": stages,
    }


def _stage(shape: Mapping[str, Any], pipeline_type: str) -> StageDeclaration:
    actions = tuple(_action(action) for action in shape["actions"])
    rules, retry_mode = entry_rules(shape, pipeline_type), automatic_retry(shape, pipeline_type)
    return StageDeclaration(shape["name"], actions, rules, retry_mode)


def _action(shape: Mapping[str, Any]) -> ActionDeclaration:
    action_type = shape["actionTypeId"]
    provider = PROVIDERS[action_type["category"], action_type["provider"]]
    return ActionDeclaration(
        name=shape["name"],
        provider=provider,
        run_order=shape["runOrder"],
        configuration=dict(shape["configuration"]),
        inputs=tuple(item["name"] for item in shape["inputArtifacts"]),
        outputs=tuple(item["name"] for item in shape["outputArtifacts"]),
        role_arn=shape.get("roleArn"),
        namespace=shape.get("namespace"),
        timeout_minutes=shape.get("timeoutInMinutes", provider.timeout_minutes),
    )
