"""CodePipeline's records as the API returns them: pipelines, their state, executions, tags."""

from collections.abc import Iterable, Mapping

from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.condition_serializers import condition_state
from local_aws.services.codepipeline.records import (
    ActionExecution,
    Execution,
    PipelineState,
    SourceRevision,
    StageRetries,
    StageState,
)
from local_aws.services.codepipeline.shapes import (
    ActionExecutionDetailShape,
    ActionExecutionShape,
    ActionInputShape,
    ActionOutputShape,
    ActionResultShape,
    ActionRevisionShape,
    ActionStateShape,
    ActionTypeIdShape,
    ArtifactDetail,
    ArtifactRevisionShape,
    ErrorDetails,
    ExecutionSummaryShape,
    PipelineExecutionShape,
    PipelineStateShape,
    PipelineSummaryShape,
    RetryStageMetadataShape,
    S3Location,
    SourceRevisionShape,
    StageExecutionShape,
    StageStateShape,
    TransitionStateShape,
    TriggerShape,
    drop_none,
)
from local_aws.services.codepipeline.structure import ActionDeclaration, StageDeclaration


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as a list of the API structure Tag."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def pipeline_summary(pipeline: PipelineState) -> PipelineSummaryShape:
    """Return PipelineSummary."""
    shape = pipeline.declaration.shape
    return PipelineSummaryShape(
        name=shape["name"],
        version=shape["version"],
        pipelineType=shape["pipelineType"],
        executionMode=shape["executionMode"],
        created=pipeline.created,
        updated=pipeline.updated,
    )


def pipeline_state(pipeline: PipelineState) -> PipelineStateShape:
    """Return the answer of GetPipelineState."""
    declaration = pipeline.declaration
    return PipelineStateShape(
        pipelineName=declaration.name,
        pipelineVersion=declaration.version,
        stageStates=[_stage_state(pipeline.stage_state(stage), stage) for stage in declaration.stages],
        created=pipeline.created,
        updated=pipeline.updated,
    )


def _stage_state(state: StageState, stage: StageDeclaration) -> StageStateShape:
    inbound = [_inbound_execution(execution) for execution in state.inbound]
    latest = _latest_stage_execution(state.latest, stage.name) if state.latest else None
    check = state.latest.entry_checks.get(stage.name) if state.latest else None
    retries = state.latest.retries.get(stage.name) if state.latest else None
    transition = TransitionStateShape(
        enabled=state.disabled_reason is None,
        lastChangedBy=state.transition_changed_by,
        lastChangedAt=state.transition_changed,
        disabledReason=state.disabled_reason,
    )
    return drop_none(
        StageStateShape(
            stageName=stage.name,
            inboundExecution=inbound[0] if inbound else None,
            inboundExecutions=inbound,
            inboundTransitionState=drop_none(transition),
            actionStates=[_action_state(action, state.actions.get(action.name)) for action in stage.actions],
            latestExecution=latest,
            beforeEntryConditionState=condition_state(check) if check else None,
            retryStageMetadata=_retry_metadata(retries) if retries else None,
        )
    )


def _retry_metadata(retries: StageRetries) -> RetryStageMetadataShape:
    return drop_none(
        RetryStageMetadataShape(
            autoStageRetryAttempt=retries.automatic or None,
            manualStageRetryAttempt=retries.manual or None,
            latestRetryTrigger=retries.latest,
        )
    )


def _inbound_execution(execution: Execution) -> StageExecutionShape:
    # StageExecution has no status Superseded.
    status = "Cancelled" if execution.status == "Superseded" else execution.status
    return StageExecutionShape(pipelineExecutionId=execution.id, status=status)


def _latest_stage_execution(execution: Execution, stage: str) -> StageExecutionShape:
    return StageExecutionShape(
        pipelineExecutionId=execution.id,
        status=execution.stage_status[stage],
        type=_execution_type(execution),
    )


def _action_state(action: ActionDeclaration, run: ActionExecution | None) -> ActionStateShape:
    if run is None:
        return ActionStateShape(actionName=action.name)
    state = ActionStateShape(
        actionName=action.name, latestExecution=_action_execution(run), entityUrl=run.entity_url
    )
    if revision := run.revision:
        state["revisionUrl"] = revision.url
        state["currentRevision"] = ActionRevisionShape(
            revisionId=revision.id, revisionChangeId=revision.id, created=revision.created
        )
    return drop_none(state)


def _action_execution(run: ActionExecution) -> ActionExecutionShape:
    return drop_none(
        ActionExecutionShape(
            actionExecutionId=run.id,
            status=run.status,
            summary=_summary(run),
            lastStatusChange=run.changed,
            token=run.token if run.status == "InProgress" else None,
            lastUpdatedBy=run.updated_by,
            externalExecutionId=run.external_id,
            externalExecutionUrl=run.external_url,
            errorDetails=_error_details(run),
        )
    )


def pipeline_execution(execution: Execution) -> PipelineExecutionShape:
    """Return PipelineExecution."""
    return drop_none(
        PipelineExecutionShape(
            pipelineName=execution.declaration.name,
            pipelineVersion=execution.declaration.version,
            pipelineExecutionId=execution.id,
            status=execution.status,
            statusSummary=execution.status_summary,
            artifactRevisions=[_artifact_revision(execution, item) for item in execution.revisions],
            variables=[{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
            trigger=_trigger(execution),
            executionMode=_execution_mode(execution),
            executionType=_execution_type(execution),
            rollbackMetadata=_rollback_metadata(execution),
        )
    )


def _artifact_revision(execution: Execution, revision: SourceRevision) -> ArtifactRevisionShape:
    names = (item.name for item in execution.artifacts.values() if item.revision == revision.id)
    return drop_none(
        ArtifactRevisionShape(
            name=next(names, revision.action),
            revisionId=revision.id,
            revisionSummary=revision.summary or None,
            created=revision.created,
            revisionUrl=revision.url,
        )
    )


def execution_summary(execution: Execution) -> ExecutionSummaryShape:
    """Return PipelineExecutionSummary."""
    return drop_none(
        ExecutionSummaryShape(
            pipelineExecutionId=execution.id,
            status=execution.status,
            statusSummary=execution.status_summary,
            startTime=execution.started,
            lastUpdateTime=execution.changed,
            sourceRevisions=[_source_revision(revision) for revision in execution.revisions],
            stopTrigger={"reason": execution.stop_reason} if execution.stop_reason else None,
            trigger=_trigger(execution),
            executionMode=_execution_mode(execution),
            executionType=_execution_type(execution),
            rollbackMetadata=_rollback_metadata(execution),
        )
    )


def _source_revision(revision: SourceRevision) -> SourceRevisionShape:
    return drop_none(
        SourceRevisionShape(
            actionName=revision.action,
            revisionId=revision.id,
            revisionSummary=revision.summary or None,
            revisionUrl=revision.url,
        )
    )


def _trigger(execution: Execution) -> TriggerShape:
    return TriggerShape(triggerType=execution.trigger_type, triggerDetail=execution.trigger_detail)


def _execution_type(execution: Execution) -> str:
    return "ROLLBACK" if execution.rollback else "STANDARD"


def _rollback_metadata(execution: Execution) -> dict[str, str] | None:
    rollback = execution.rollback
    return {"rollbackTargetPipelineExecutionId": rollback.target} if rollback else None


def _execution_mode(execution: Execution) -> str:
    return "QUEUED" if execution.declaration.queued else "SUPERSEDED"


def action_execution_detail(run: ActionExecution, region: str) -> ActionExecutionDetailShape:
    """Return ActionExecutionDetail."""
    result = ActionResultShape(
        externalExecutionId=run.external_id,
        externalExecutionSummary=_summary(run),
        externalExecutionUrl=run.external_url,
        errorDetails=_error_details(run),
    )
    return drop_none(
        ActionExecutionDetailShape(
            pipelineExecutionId=run.execution_id,
            actionExecutionId=run.id,
            pipelineVersion=run.version,
            stageName=run.stage,
            actionName=run.action.name,
            startTime=run.started,
            lastUpdateTime=run.changed,
            updatedBy=run.updated_by,
            status=run.status,
            input=_action_input(run, region),
            output=ActionOutputShape(
                outputArtifacts=artifact_details(run.outputs) if run.status == "Succeeded" else [],
                executionResult=drop_none(result),
                outputVariables=run.variables,
            ),
        )
    )


def _action_input(run: ActionExecution, region: str) -> ActionInputShape:
    return drop_none(
        ActionInputShape(
            actionTypeId=action_type_id(run.action),
            configuration=dict(run.action.configuration),
            resolvedConfiguration=run.configuration,
            roleArn=run.action.role_arn,
            region=region,
            inputArtifacts=artifact_details(run.inputs),
            namespace=run.action.namespace,
        )
    )


def action_type_id(action: ActionDeclaration) -> ActionTypeIdShape:
    """Return ActionTypeId."""
    return ActionTypeIdShape(
        category=action.provider.category, owner="AWS", provider=action.provider.name, version="1"
    )


def artifact_details(artifacts: Iterable[Artifact]) -> list[ArtifactDetail]:
    """Return each artifact's ArtifactDetail; events use the same structure."""
    return [
        ArtifactDetail(name=item.name, s3location=S3Location(bucket=item.bucket, key=item.key))
        for item in artifacts
    ]


def _summary(run: ActionExecution) -> str | None:
    return run.error[1] if run.error else run.summary


def _error_details(run: ActionExecution) -> ErrorDetails | None:
    return ErrorDetails(code=run.error[0], message=run.error[1]) if run.error else None
