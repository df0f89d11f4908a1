"""What every operation of CodePipeline needs: find a pipeline, an execution, a page of a list."""

from typing import Any

from local_aws.core.api import AwsError, JsonService
from local_aws.services.codepipeline.records import ActionExecution, Execution, Line

Params = dict[str, Any]


class PipelineRequests(JsonService):
    """CodePipeline's pipelines by name, and AWS's refusals when what is asked for is not there."""

    service = "codepipeline"
    lines: dict[str, Line]

    def line(self, name: str) -> Line:
        """Return a pipeline; raises PipelineNotFoundException."""
        if name not in self.lines:
            raise AwsError(
                "PipelineNotFoundException",
                f"Account '{self.context.account}' does not have a pipeline with name '{name}'",
            )
        return self.lines[name]

    def execution_of(self, line: Line, execution_id: str) -> Execution:
        """Return an execution; raises PipelineExecutionNotFoundException."""
        found = line.execution(execution_id)
        if found is None:
            raise AwsError(
                "PipelineExecutionNotFoundException",
                f"Pipeline {line.pipeline.name} does not have an execution with id {execution_id}",
            )
        return found

    def run_of(self, params: Params) -> ActionExecution:
        """Return the last run of the action that the parameters name; raises ActionNotFoundException."""
        line = self.line(params["pipelineName"])
        stage = line.pipeline.stage(params["stageName"])
        if params["actionName"] not in {action.name for action in stage.actions}:
            raise AwsError(
                "ActionNotFoundException",
                f"Stage {stage.name} of pipeline {line.pipeline.name} does not have an action with name"
                f" {params['actionName']}",
            )
        run = line.state(stage).actions.get(params["actionName"])
        if run is None:
            raise AwsError("InvalidApprovalTokenException", "The action has not run, it has no token")
        return run

    def tagged(self, arn: str) -> Line:
        """Return the pipeline with this ARN; raises InvalidArnException or ResourceNotFoundException."""
        prefix = self.context.arn("codepipeline", "")
        if not arn.startswith(prefix):
            raise AwsError("InvalidArnException", f"The resource ARN {arn} is not valid")
        if arn.removeprefix(prefix) not in self.lines:
            raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found")
        return self.lines[arn.removeprefix(prefix)]

    def caller(self) -> str:
        """Return who calls. A request does not carry its principal this far: the account's root."""
        return f"arn:aws:iam::{self.context.account}:root"
