"""Records as the API shows them: pipeline state, executions, action executions."""

from typing import Any

from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.records import (
    ActionExecution,
    Execution,
    Line,
    Revision,
    StageState,
    drop_none,
)
from local_aws.services.codepipeline.structure import Action

View = dict[str, Any]


def pipeline_state(line: Line) -> View:
    """Return the answer of GetPipelineState."""
    pipeline = line.pipeline
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": [
            _stage_state(line.state(stage), stage.name, stage.actions) for stage in pipeline.stages
        ],
        "created": line.created,
        "updated": line.updated,
    }


def _stage_state(state: StageState, name: str, actions: tuple[Action, ...]) -> View:
    waiting = [{"pipelineExecutionId": item.id, "status": _stage_word(item.status)} for item in state.waiting]
    latest = state.latest
    return drop_none(
        {
            "stageName": name,
            "inboundExecution": waiting[0] if waiting else None,
            "inboundExecutions": waiting,
            "inboundTransitionState": drop_none(
                {
                    "enabled": state.disabled_reason is None,
                    "lastChangedBy": state.transition_changed_by,
                    "lastChangedAt": state.transition_changed,
                    "disabledReason": state.disabled_reason,
                }
            ),
            "actionStates": [_action_state(action, state.actions.get(action.name)) for action in actions],
            "latestExecution": latest
            and {
                "pipelineExecutionId": latest.id,
                "status": latest.stage_status[name],
                "type": "STANDARD",
            },
        }
    )


def _stage_word(status: str) -> str:
    # A stage knows no `Superseded`; such an execution no longer waits.
    return "Cancelled" if status == "Superseded" else status


def _action_state(action: Action, run: ActionExecution | None) -> View:
    if run is None:
        return {"actionName": action.name}
    revision = run.revision
    return drop_none(
        {
            "actionName": action.name,
            "currentRevision": revision
            and {"revisionId": revision.id, "revisionChangeId": revision.id, "created": revision.created},
            "latestExecution": drop_none(
                {
                    "actionExecutionId": run.id,
                    "status": run.status,
                    "summary": _summary(run),
                    "lastStatusChange": run.changed,
                    "token": run.token if run.status == "InProgress" else None,
                    "lastUpdatedBy": run.updated_by,
                    "externalExecutionId": run.external_id,
                    "externalExecutionUrl": run.external_url,
                    "errorDetails": _error(run),
                }
            ),
            "entityUrl": run.entity_url,
            "revisionUrl": revision and revision.url,
        }
    )


def execution(found: Execution) -> View:
    """Return one execution as GetPipelineExecution shows it."""
    return drop_none(
        {
            "pipelineName": found.pipeline.name,
            "pipelineVersion": found.pipeline.version,
            "pipelineExecutionId": found.id,
            "status": found.status,
            "statusSummary": found.status_summary,
            "artifactRevisions": [_artifact_revision(found, item) for item in found.revisions],
            "variables": [{"name": name, "resolvedValue": value} for name, value in found.variables.items()],
            **_provenance(found),
        }
    )


def _artifact_revision(found: Execution, revision: Revision) -> View:
    produced = [item.name for item in found.artifacts.values() if item.revision == revision.id]
    return drop_none(
        {
            "name": produced[0] if produced else revision.action,
            "revisionId": revision.id,
            "revisionSummary": revision.summary or None,
            "created": revision.created,
            "revisionUrl": revision.url,
        }
    )


def execution_summary(found: Execution) -> View:
    """Return one execution as ListPipelineExecutions shows it."""
    return drop_none(
        {
            "pipelineExecutionId": found.id,
            "status": found.status,
            "statusSummary": found.status_summary,
            "startTime": found.started,
            "lastUpdateTime": found.changed,
            "sourceRevisions": [
                drop_none(
                    {
                        "actionName": item.action,
                        "revisionId": item.id,
                        "revisionSummary": item.summary or None,
                        "revisionUrl": item.url,
                    }
                )
                for item in found.revisions
            ],
            "stopTrigger": {"reason": found.stop_reason} if found.stop_reason else None,
            **_provenance(found),
        }
    )


def _provenance(found: Execution) -> View:
    return {
        "trigger": {"triggerType": found.trigger_type, "triggerDetail": found.trigger_detail},
        "executionMode": "QUEUED" if found.pipeline.queued else "SUPERSEDED",
        "executionType": "STANDARD",
    }


def action_execution(run: ActionExecution, region: str) -> View:
    """Return one run of an action as ListActionExecutions shows it."""
    action = run.action
    result = drop_none(
        {
            "externalExecutionId": run.external_id,
            "externalExecutionSummary": _summary(run),
            "externalExecutionUrl": run.external_url,
            "errorDetails": _error(run),
        }
    )
    return drop_none(
        {
            "pipelineExecutionId": run.execution_id,
            "actionExecutionId": run.id,
            "pipelineVersion": run.version,
            "stageName": run.stage,
            "actionName": action.name,
            "startTime": run.started,
            "lastUpdateTime": run.changed,
            "updatedBy": run.updated_by,
            "status": run.status,
            "input": _input(run, region),
            "output": {
                "outputArtifacts": _artifacts(run.outputs) if run.status == "Succeeded" else [],
                "executionResult": result,
                "outputVariables": run.variables,
            },
        }
    )


def _input(run: ActionExecution, region: str) -> View:
    action = run.action
    return drop_none(
        {
            "actionTypeId": {
                "category": action.provider.category,
                "owner": "AWS",
                "provider": action.provider.name,
                "version": "1",
            },
            "configuration": dict(action.configuration),
            "resolvedConfiguration": run.configuration,
            "roleArn": action.role_arn,
            "region": region,
            "inputArtifacts": _artifacts(run.inputs),
            "namespace": action.namespace,
        }
    )


def _artifacts(artifacts: list[Artifact]) -> list[View]:
    return [{"name": item.name, "s3location": {"bucket": item.bucket, "key": item.key}} for item in artifacts]


def _summary(run: ActionExecution) -> str | None:
    return run.error[1] if run.error else run.summary


def _error(run: ActionExecution) -> View | None:
    return {"code": run.error[0], "message": run.error[1]} if run.error else None
