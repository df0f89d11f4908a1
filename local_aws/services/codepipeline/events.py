"""CodePipeline's events on the default bus.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

import queue
import threading
from datetime import datetime
from typing import TypedDict

from local_aws.core.context import Context
from local_aws.services.codepipeline.records import ActionExecution, Execution
from local_aws.services.codepipeline.serializers import action_type_id, artifact_details
from local_aws.services.codepipeline.shapes import ActionTypeIdShape, ArtifactDetail, drop_none

ExecutionTrigger = TypedDict("ExecutionTrigger", {"trigger-type": str, "trigger-detail": str})

ExecutionResult = TypedDict(
    "ExecutionResult",
    {
        "external-execution-url": str | None,
        "external-execution-summary": str | None,
        "external-execution-id": str | None,
        "error-code": str | None,
    },
)

# The `detail` of the three kinds of events; members that are None are not sent.
ExecutionStateChange = TypedDict(
    "ExecutionStateChange",
    {
        "pipeline": str,
        "execution-id": str,
        "start-time": str,
        "version": float,
        "pipeline-execution-attempt": float,
        "state": str,
        "execution-trigger": ExecutionTrigger | None,
        "stop-execution-comments": str | None,
        "stage": str,
        "action": str,
        "action-execution-id": str,
        "region": str,
        "type": ActionTypeIdShape,
        "execution-result": ExecutionResult | None,
        "input-artifacts": list[ArtifactDetail] | None,
        "output-artifacts": list[ArtifactDetail] | None,
    },
    total=False,
)


class EventQueue:
    """Sends events in order, from a thread of its own.

    A rule's target may call CodePipeline, so no event is sent by a thread that holds the service's lock.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        # Detail type, ARN of the pipeline, detail; None ends the thread.
        self._events: queue.SimpleQueue[tuple[str, str, ExecutionStateChange] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put_pipeline_event(self, execution: Execution, state: str) -> None:
        """Queue an event of a pipeline execution's new state (as `STARTED`)."""
        detail = _detail(execution, state)
        if state == "STARTED":
            detail["execution-trigger"] = {
                "trigger-type": execution.trigger_type,
                "trigger-detail": execution.trigger_detail,
            }
        if state == "STOPPING":
            detail["stop-execution-comments"] = execution.stop_reason
        self._put("Pipeline", execution, detail)

    def put_stage_event(self, execution: Execution, stage: str, state: str) -> None:
        """Queue an event of a stage execution's new state."""
        detail = _detail(execution, state)
        detail["stage"] = stage
        self._put("Stage", execution, detail)

    def put_action_event(self, execution: Execution, run: ActionExecution, state: str) -> None:
        """Queue an event of an action execution's new state."""
        detail = _detail(execution, state)
        detail |= {
            "stage": run.stage,
            "action": run.action.name,
            "action-execution-id": run.id,
            "region": self.context.region,
            "type": action_type_id(run.action),
            "execution-result": _execution_result(run) if state != "STARTED" else None,
            "input-artifacts": (artifact_details(run.inputs) or None) if state == "STARTED" else None,
            "output-artifacts": (artifact_details(run.outputs) or None) if state == "SUCCEEDED" else None,
        }
        self._put("Action", execution, detail)

    def close(self) -> None:
        """End the thread after the queued events are sent."""
        self._events.put(None)

    def _put(self, kind: str, execution: Execution, detail: ExecutionStateChange) -> None:
        arn = self.context.arn("codepipeline", execution.declaration.name)
        detail_type = f"CodePipeline {kind} Execution State Change"
        self._events.put((detail_type, arn, drop_none(detail)))
        if self._thread is None or not self._thread.is_alive():
            self._thread = self.context.spawn("codepipeline-events", self._send)

    def _send(self) -> None:
        while (event := self._events.get()) is not None:
            detail_type, arn, detail = event
            self.context.emit("aws.codepipeline", detail_type, [arn], {**detail})


def _detail(execution: Execution, state: str) -> ExecutionStateChange:
    return {
        "pipeline": execution.declaration.name,
        "execution-id": execution.id,
        "start-time": _timestamp(execution.started),
        "state": state,
        "version": float(execution.declaration.version),
        "pipeline-execution-attempt": float(execution.attempt),
    }


def _execution_result(run: ActionExecution) -> ExecutionResult | None:
    code, message = run.error or (None, run.summary)
    result = drop_none(
        ExecutionResult(
            {
                "external-execution-url": run.external_url,
                "external-execution-summary": message,
                "external-execution-id": run.external_id,
                "error-code": code,
            }
        )
    )
    return result or None


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
