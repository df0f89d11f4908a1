"""CodePipeline's operations on executions: start, stop, retry, approve, hold a stage, tell the state."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.records import FINAL, Execution, Line
from local_aws.services.codepipeline.requests import Params, PipelineRequests
from local_aws.services.codepipeline.serializers import (
    action_execution,
    execution,
    execution_summary,
    pipeline_state,
)
from local_aws.services.codepipeline.structure import unsupported

# AWS's quota of executions of a pipeline in QUEUED mode.
MOST_QUEUED = 50


class Executions(PipelineRequests):
    """The half of CodePipeline that runs pipelines."""

    engine: Engine
    # clientRequestToken of a start that EventBridge asked for -> the ARN of the rule.
    events: dict[str, str]
    # Starts that an event asked for and that have not begun, by their token: target, its rule.
    deliveries: dict[str, tuple[str, dict[str, Any], str]]

    def start_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Start an execution. The same clientRequestToken gives the same execution."""
        line = self.line(params["name"])
        token = params.get("clientRequestToken")
        if token in line.tokens:
            return {"pipelineExecutionId": line.tokens[token]}
        trigger = ("StartPipelineExecution", self.caller())
        if token in self.events:
            trigger = ("CloudWatchEvent", self.events.pop(token))
        started = self.begin(line, *trigger, params)
        if token:
            line.tokens[token] = started.id
        return {"pipelineExecutionId": started.id}

    def begin(self, line: Line, trigger: str, detail: str, params: Params) -> Execution:
        """Start an execution of the newest version, under the lock."""
        pipeline = line.pipeline
        waiting = [item for item in line.executions if item.status not in FINAL]
        if pipeline.queued and len(waiting) >= MOST_QUEUED:
            raise AwsError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline has reached the limit for concurrent pipeline executions ({MOST_QUEUED})",
            )
        overrides = {}
        sources = {action.name for action in pipeline.stages[0].actions}
        for revision in params.get("sourceRevisions", []):
            if revision["revisionType"] != "COMMIT_ID" or revision["actionName"] not in sources:
                raise AwsError(
                    "ValidationException",
                    f"Source revision override {revision['revisionType']} of {revision['actionName']} is not"
                    " a COMMIT_ID of a source action of the pipeline",
                )
            overrides[revision["actionName"]] = revision["revisionValue"]
        started = Execution(pipeline, trigger, detail, _variables(line, params), overrides)
        started.namespaces = {
            "codepipeline": {"PipelineExecutionId": started.id},
            "variables": started.variables,
        }
        self.engine.start(line, started)
        return started

    def stop_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Stop an execution: after its running actions, or (abandon) now."""
        line = self.line(params["pipelineName"])
        found = line.execution(params["pipelineExecutionId"])
        abandon = params.get("abandon", False)
        if found is None or found.status in FINAL:
            raise AwsError(
                "PipelineExecutionNotStoppableException",
                f"Unable to stop the pipeline execution. The execution {params['pipelineExecutionId']}"
                f" is {'not found' if found is None else 'in a ' + found.status + ' state'}.",
            )
        if found.stop == "abandon" or (found.stop == "wait" and not abandon):
            raise AwsError(
                "DuplicatedStopRequestException",
                f"The pipeline execution {found.id} is already in a Stopping state",
            )
        self.engine.stop(found, abandon=abandon, reason=params.get("reason"))
        return {"pipelineExecutionId": found.id}

    def retry_stage_execution(self, params: Params) -> dict[str, Any]:
        """Resume an execution in the stage that failed or stopped it."""
        line = self.line(params["pipelineName"])
        found = line.execution(params["pipelineExecutionId"])
        stage = (found.pipeline if found else line.pipeline).stage(params["stageName"])
        state = line.state(stage)
        if found is None or state.latest is not found:
            raise AwsError(
                "NotLatestPipelineExecutionException",
                f"The execution {params['pipelineExecutionId']} is not the latest in stage {stage.name},"
                " and cannot be retried",
            )
        if found.status not in ("Failed", "Stopped") or found.stage_status[stage.name] not in (
            "Failed",
            "Stopped",
        ):
            raise AwsError(
                "StageNotRetryableException",
                f"The stage {stage.name} has no failed actions to retry: it is"
                f" {found.stage_status[stage.name]} in execution {found.id}",
            )
        self.engine.retry(line, found, stage, everything=params["retryMode"] == "ALL_ACTIONS")
        return {"pipelineExecutionId": found.id}

    def put_approval_result(self, params: Params) -> dict[str, Any]:
        """Answer a manual approval."""
        run = self.run_of(params)
        if run.approval is not None:
            raise AwsError(
                "ApprovalAlreadyCompletedException",
                "The approval action has already been approved or rejected.",
            )
        if run.status != "InProgress" or run.token != params["token"]:
            raise AwsError(
                "InvalidApprovalTokenException",
                "The approval request already received a response or has expired.",
            )
        run.approval, run.updated_by, run.changed = params["result"], self.caller(), now()
        return {"approvedAt": run.changed}

    def disable_stage_transition(self, params: Params) -> None:
        """Hold executions in front of a stage."""
        self._transition(params, params["reason"])

    def enable_stage_transition(self, params: Params) -> None:
        """Let the waiting execution into a stage."""
        self._transition(params, None)

    def _transition(self, params: Params, reason: str | None) -> None:
        if params["transitionType"] != "Inbound":
            raise unsupported("transition type Outbound")
        line = self.line(params["pipelineName"])
        state = line.state(line.pipeline.stage(params["stageName"]))
        state.disabled_reason = reason
        state.transition_changed, state.transition_changed_by = now(), self.caller()
        self.engine.changed.notify_all()

    def get_pipeline_state(self, params: Params) -> dict[str, Any]:
        """Tell where executions are."""
        return pipeline_state(self.line(params["name"]))

    def get_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Tell of one execution."""
        line = self.line(params["pipelineName"])
        return {"pipelineExecution": execution(self.execution_of(line, params["pipelineExecutionId"]))}

    def list_pipeline_executions(self, params: Params) -> dict[str, Any]:
        """List executions, the newest first."""
        line = self.line(params["pipelineName"])
        found = line.executions[::-1]
        stage = params.get("filter", {}).get("succeededInStage", {}).get("stageName")
        if stage is not None:
            found = [item for item in found if item.stage_status.get(stage) == "Succeeded"]
        return {"pipelineExecutionSummaries": [execution_summary(item) for item in found]}

    def list_action_executions(self, params: Params) -> dict[str, Any]:
        """List runs of actions, the newest first."""
        line = self.line(params["pipelineName"])
        wanted = params.get("filter", {})
        latest = wanted.get("latestInPipelineExecution", {})
        execution_id = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        executions = [self.execution_of(line, execution_id)] if execution_id else line.executions
        runs = [run for item in executions for run in item.actions]
        if latest.get("startTimeRange") == "Latest":
            runs = list({(run.stage, run.action.name): run for run in runs}.values())
        runs.sort(key=lambda run: run.started, reverse=True)
        return {"actionExecutionDetails": [action_execution(run, self.context.region) for run in runs]}


def _variables(line: Line, params: Params) -> dict[str, str]:
    given = {item["name"]: item["value"] for item in params.get("variables", [])}
    declared = line.pipeline.variables
    if unknown := sorted(set(given) - set(declared)):
        raise AwsError("ValidationException", f"Variables {unknown} are not declared by the pipeline")
    values = {name: given.get(name, default) for name, default in declared.items()}
    if missing := sorted(name for name, value in values.items() if value is None):
        raise AwsError("ValidationException", f"Variables {missing} have no default and no value was given")
    return {name: value for name, value in values.items() if value is not None}
