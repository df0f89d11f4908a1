"""CodePipeline's operations on executions: start, stop, retry, approve, transitions, state and history."""

from typing import Any

from local_aws.core.api import check_quota, now
from local_aws.services.codepipeline.condition_serializers import rule_execution_detail
from local_aws.services.codepipeline.conditions import check_overridable
from local_aws.services.codepipeline.engine import Engine
from local_aws.services.codepipeline.errors import (
    approval_already_completed,
    duplicated_stop_request,
    execution_not_stoppable,
    invalid_approval_token,
    not_latest_execution,
    stage_not_retryable,
    unable_to_roll_back,
    unsupported,
)
from local_aws.services.codepipeline.lookup import Params, PipelineLookup
from local_aws.services.codepipeline.records import FINAL_STATUSES, Execution, PipelineState, Rollback
from local_aws.services.codepipeline.serializers import (
    action_execution_detail,
    execution_summary,
    pipeline_execution,
    pipeline_state,
)
from local_aws.services.codepipeline.structure import StageDeclaration
from local_aws.services.codepipeline.validation import check_revision_overrides, resolve_variables

# A delivery of an event by EventBridge: the target's ARN, the target, the ARN of the rule.
Delivery = tuple[str, dict[str, Any], str]


class ExecutionOperations(PipelineLookup):
    """The operations that run pipelines."""

    engine: Engine
    # clientRequestToken of a start by EventBridge -> the ARN of the rule.
    rule_arns: dict[str, str]
    # Deliveries that have not started an execution yet, by the clientRequestToken that they will use.
    deliveries: dict[str, Delivery]

    def start_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Start an execution. The same clientRequestToken returns the same execution."""
        pipeline = self.find_pipeline(params["name"])
        token = params.get("clientRequestToken")
        if token in pipeline.request_tokens:
            return {"pipelineExecutionId": pipeline.request_tokens[token]}
        trigger = ("StartPipelineExecution", self.caller_arn())
        if token in self.rule_arns:
            trigger = ("CloudWatchEvent", self.rule_arns.pop(token))
        execution = self.start_execution(pipeline, *trigger, params)
        if token:
            pipeline.request_tokens[token] = execution.id
        return {"pipelineExecutionId": execution.id}

    def start_execution(
        self, pipeline: PipelineState, trigger_type: str, trigger_detail: str, params: Params
    ) -> Execution:
        """Start an execution of the newest version (under the lock)."""
        declaration = pipeline.declaration
        active = [item for item in pipeline.executions if item.status not in FINAL_STATUSES]
        if declaration.queued:
            check_quota("codepipeline", "StartPipelineExecution", len(active))
        revisions = params.get("sourceRevisions", [])
        check_revision_overrides(revisions, {action.name for action in declaration.stages[0].actions})
        overrides = {revision["actionName"]: revision["revisionValue"] for revision in revisions}
        variables = resolve_variables(declaration.variables, params.get("variables", []))
        execution = Execution(declaration, trigger_type, trigger_detail, variables, overrides)
        execution.namespaces = {
            "codepipeline": {"PipelineExecutionId": execution.id},
            "variables": execution.variables,
        }
        self.engine.start(pipeline, execution)
        return execution

    def stop_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Stop an execution after its running actions have ended, or immediately (`abandon`)."""
        pipeline = self.find_pipeline(params["pipelineName"])
        execution = pipeline.execution(params["pipelineExecutionId"])
        abandon = params.get("abandon", False)
        if execution is None or execution.status in FINAL_STATUSES:
            status = execution.status if execution else None
            raise execution_not_stoppable(params["pipelineExecutionId"], status)
        if execution.stop_mode == "abandon" or (execution.stop_mode == "wait" and not abandon):
            raise duplicated_stop_request(execution.id)
        self.engine.stop(execution, abandon=abandon, reason=params.get("reason"))
        return {"pipelineExecutionId": execution.id}

    def retry_stage_execution(self, params: Params) -> dict[str, Any]:
        """Retry the stage in which an execution failed or was stopped."""
        pipeline = self.find_pipeline(params["pipelineName"])
        execution = pipeline.execution(params["pipelineExecutionId"])
        declaration = execution.declaration if execution else pipeline.declaration
        stage = declaration.stage(params["stageName"])
        if execution is None or pipeline.stage_state(stage).latest is not execution:
            raise not_latest_execution(params["pipelineExecutionId"], stage.name)
        status = execution.stage_status[stage.name]
        if not {execution.status, status} <= {"Failed", "Stopped"}:
            raise stage_not_retryable(execution.id, stage.name, status)
        execution.count_retry(stage.name, "ManualStageRetry")
        all_actions = params["retryMode"] == "ALL_ACTIONS"
        self.engine.retry(pipeline, execution, stage, all_actions=all_actions)
        return {"pipelineExecutionId": execution.id}

    def rollback_stage(self, params: Params) -> dict[str, Any]:
        """Run a stage again with the revisions, variables and artifacts of an execution that succeeded in it.

        AWS's pages do not say whether the new execution goes on to the next stage; here it ends.
        https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
        """
        pipeline = self.find_pipeline(params["pipelineName"])
        stage = pipeline.declaration.stage(params["stageName"])
        target = self.find_execution(pipeline, params["targetPipelineExecutionId"])
        check_rollback(pipeline, stage, target)
        execution = Execution(pipeline.declaration, "ManualRollback", self.caller_arn(), target.variables, {})
        execution.rollback = Rollback(stage.name, target.id)
        execution.artifacts, execution.revisions = dict(target.artifacts), list(target.revisions)
        execution.namespaces = {**target.namespaces, "codepipeline": {"PipelineExecutionId": execution.id}}
        self.engine.start(pipeline, execution)
        return {"pipelineExecutionId": execution.id}

    def put_approval_result(self, params: Params) -> dict[str, Any]:
        """Approve or reject a manual approval."""
        run = self.find_run(params)
        if run.approval is not None:
            raise approval_already_completed()
        if run.status != "InProgress" or run.token != params["token"]:
            raise invalid_approval_token("The approval request already received a response or has expired.")
        run.approval, run.updated_by, run.changed = params["result"], self.caller_arn(), now()
        return {"approvedAt": run.changed}

    def disable_stage_transition(self, params: Params) -> None:
        """Keep executions from entering a stage."""
        self._set_transition(params, params["reason"])

    def enable_stage_transition(self, params: Params) -> None:
        """Let executions enter a stage."""
        self._set_transition(params, None)

    def override_stage_condition(self, params: Params) -> None:
        """Let an execution enter a stage although its entry condition keeps it out."""
        pipeline = self.find_pipeline(params["pipelineName"])
        execution = pipeline.execution(params["pipelineExecutionId"])
        declaration = execution.declaration if execution else pipeline.declaration
        stage = declaration.stage(params["stageName"])
        if execution is None or pipeline.stage_state(stage).latest is not execution:
            raise not_latest_execution(params["pipelineExecutionId"], stage.name)
        check_overridable(execution.entry_checks.get(stage.name), params["conditionType"], stage.name)
        self.engine.override(pipeline, execution, stage)

    def _set_transition(self, params: Params, disabled_reason: str | None) -> None:
        if params["transitionType"] != "Inbound":
            raise unsupported("transition type Outbound")
        pipeline = self.find_pipeline(params["pipelineName"])
        state = pipeline.stage_state(pipeline.declaration.stage(params["stageName"]))
        state.disabled_reason = disabled_reason
        state.transition_changed, state.transition_changed_by = now(), self.caller_arn()
        self.engine.changed.notify_all()

    def get_pipeline_state(self, params: Params) -> dict[str, Any]:
        """Return the state of each stage and action."""
        return {**pipeline_state(self.find_pipeline(params["name"]))}

    def get_pipeline_execution(self, params: Params) -> dict[str, Any]:
        """Return one execution."""
        pipeline = self.find_pipeline(params["pipelineName"])
        execution = self.find_execution(pipeline, params["pipelineExecutionId"])
        return {"pipelineExecution": pipeline_execution(execution)}

    def list_pipeline_executions(self, params: Params) -> dict[str, Any]:
        """List executions, the newest first."""
        pipeline = self.find_pipeline(params["pipelineName"])
        executions = pipeline.executions[::-1]
        name = params.get("filter", {}).get("succeededInStage", {}).get("stageName")
        if name is not None:
            # In the current version of the pipeline, as the filter's documentation says.
            version, stage = pipeline.declaration.version, pipeline.declaration.stage(name)
            executions = [
                item
                for item in executions
                if (item.declaration.version, item.stage_status.get(stage.name)) == (version, "Succeeded")
            ]
        return {"pipelineExecutionSummaries": [execution_summary(item) for item in executions]}

    def _filtered(self, params: Params) -> tuple[list[Execution], bool]:
        """Return the executions that a filter selects, and whether of each only the latest run counts."""
        pipeline = self.find_pipeline(params["pipelineName"])
        filters = params.get("filter", {})
        latest = filters.get("latestInPipelineExecution", {})
        execution_id = filters.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        executions = [self.find_execution(pipeline, execution_id)] if execution_id else pipeline.executions
        return executions, latest.get("startTimeRange") == "Latest"

    def list_rule_executions(self, params: Params) -> dict[str, Any]:
        """List runs of rules, the newest first."""
        executions, is_latest = self._filtered(params)
        runs = [
            (check, run)
            for execution in executions
            for check in execution.entry_checks.values()
            for run in ([] if is_latest else check.earlier) + check.rules
        ]
        runs.sort(key=lambda each: each[1].started, reverse=True)
        details = [rule_execution_detail(check, run, self.context.region) for check, run in runs]
        return {"ruleExecutionDetails": details}

    def list_action_executions(self, params: Params) -> dict[str, Any]:
        """List runs of actions, the newest first."""
        executions, is_latest = self._filtered(params)
        runs = [run for execution in executions for run in execution.actions]
        if is_latest:
            runs = list({(run.stage, run.action.name): run for run in runs}.values())
        runs.sort(key=lambda run: run.started, reverse=True)
        return {"actionExecutionDetails": [action_execution_detail(run, self.context.region) for run in runs]}


def check_rollback(pipeline: PipelineState, stage: StageDeclaration, target: Execution) -> None:
    """Raise UnableToRollbackStageException unless the stage can be rolled back to an execution."""
    declaration = pipeline.declaration
    reasons = {
        f"the pipeline {declaration.name} is not of type V2": declaration.shape["pipelineType"] != "V2",
        "it is a source stage": stage.name == declaration.stages[0].name,
        f"the pipeline has changed since the execution {target.id} started": (
            target.declaration.version != declaration.version
        ),
        f"the execution {target.id} is a rollback": target.rollback is not None,
        f"the execution {target.id} has not succeeded in it": (
            target.stage_status.get(stage.name) != "Succeeded"
        ),
        "it is currently running": pipeline.stage_state(stage).current is not None,
    }
    for reason, holds in reasons.items():
        if holds:
            raise unable_to_roll_back(stage.name, reason)
