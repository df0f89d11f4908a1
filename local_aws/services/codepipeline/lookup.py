"""Finds the pipeline, the execution or the action that a request names."""

from typing import Any

from local_aws.core.api import JsonService
from local_aws.services.codepipeline.errors import (
    action_not_found,
    execution_not_found,
    invalid_approval_token,
    invalid_arn,
    pipeline_not_found,
    resource_not_found,
)
from local_aws.services.codepipeline.records import ActionExecution, Execution, PipelineState

Params = dict[str, Any]


class PipelineLookup(JsonService):
    """CodePipeline's pipelines by name."""

    service = "codepipeline"
    pipelines: dict[str, PipelineState]

    def find_pipeline(self, name: str) -> PipelineState:
        """Return a pipeline; raises PipelineNotFoundException."""
        if name not in self.pipelines:
            raise pipeline_not_found(name, self.context.account)
        return self.pipelines[name]

    def find_execution(self, pipeline: PipelineState, execution_id: str) -> Execution:
        """Return an execution; raises PipelineExecutionNotFoundException."""
        execution = pipeline.execution(execution_id)
        if execution is None:
            raise execution_not_found(pipeline.declaration.name, execution_id)
        return execution

    def find_run(self, params: Params) -> ActionExecution:
        """Return the last run of the action that the parameters name; raises ActionNotFoundException."""
        pipeline = self.find_pipeline(params["pipelineName"])
        stage = pipeline.declaration.stage(params["stageName"])
        if params["actionName"] not in {action.name for action in stage.actions}:
            raise action_not_found(pipeline.declaration.name, stage.name, params["actionName"])
        run = pipeline.stage_state(stage).actions.get(params["actionName"])
        if run is None:
            raise invalid_approval_token("The action has not run, it has no token")
        return run

    def find_by_arn(self, arn: str) -> PipelineState:
        """Return the pipeline with this ARN; raises InvalidArnException or ResourceNotFoundException."""
        prefix = self.context.arn("codepipeline", "")
        if not arn.startswith(prefix):
            raise invalid_arn(arn)
        if arn.removeprefix(prefix) not in self.pipelines:
            raise resource_not_found(arn)
        return self.pipelines[arn.removeprefix(prefix)]

    def caller_arn(self) -> str:
        """Return the account's root: the principal of a request is not available here."""
        return f"arn:aws:iam::{self.context.account}:root"
