"""CodePipeline's events on the default bus, in AWS's shapes.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

import queue
import threading
from datetime import datetime
from typing import Any

from local_aws.core.context import Context
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.records import ActionExecution, Execution, drop_none


class Outbox:
    """Sends events one after the other from a thread of its own.

    A rule's target may call CodePipeline back, so nothing is sent by a thread that holds the service's lock.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._events: queue.SimpleQueue[tuple[str, str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def pipeline(self, execution: Execution, state: str) -> None:
        """Tell of a pipeline execution's new state (as `STARTED`)."""
        trigger = {"trigger-type": execution.trigger_type, "trigger-detail": execution.trigger_detail}
        detail = {
            **_head(execution),
            "execution-trigger": trigger if state == "STARTED" else None,
            "state": state,
            **_tail(execution),
            "stop-execution-comments": execution.stop_reason if state == "STOPPING" else None,
        }
        self._put("Pipeline", execution, detail)

    def stage(self, execution: Execution, stage: str, state: str) -> None:
        """Tell of a stage execution's new state."""
        detail = {**_head(execution), "stage": stage, "state": state, **_tail(execution)}
        self._put("Stage", execution, detail)

    def action(self, execution: Execution, run: ActionExecution, state: str) -> None:
        """Tell of an action execution's new state."""
        provider = run.action.provider
        detail = {
            **_head(execution),
            "stage": run.stage,
            "execution-result": _result(run) if state != "STARTED" else None,
            "input-artifacts": _locations(run.inputs) if state == "STARTED" else None,
            "output-artifacts": _locations(run.outputs) if state == "SUCCEEDED" else None,
            "action-execution-id": run.id,
            "action": run.action.name,
            "state": state,
            "region": self.context.region,
            "type": {
                "owner": "AWS",
                "provider": provider.name,
                "category": provider.category,
                "version": "1",
            },
            **_tail(execution),
        }
        self._put("Action", execution, detail)

    def close(self) -> None:
        """End the thread once everything put so far is sent."""
        self._events.put(None)

    def _put(self, what: str, execution: Execution, detail: dict[str, Any]) -> None:
        arn = self.context.arn("codepipeline", execution.pipeline.name)
        detail_type = f"CodePipeline {what} Execution State Change"
        self._events.put((detail_type, arn, drop_none(detail)))
        if self._thread is None or not self._thread.is_alive():
            self._thread = self.context.spawn("codepipeline-events", self._send)

    def _send(self) -> None:
        while (event := self._events.get()) is not None:
            detail_type, arn, detail = event
            self.context.emit("aws.codepipeline", detail_type, [arn], detail)


def _head(execution: Execution) -> dict[str, Any]:
    return {
        "pipeline": execution.pipeline.name,
        "execution-id": execution.id,
        "start-time": _stamp(execution.started),
    }


def _tail(execution: Execution) -> dict[str, Any]:
    return {
        "version": float(execution.pipeline.version),
        "pipeline-execution-attempt": float(execution.attempt),
    }


def _result(run: ActionExecution) -> dict[str, Any] | None:
    result = drop_none(
        {
            "external-execution-url": run.external_url,
            "external-execution-summary": run.error[1] if run.error else run.summary,
            "external-execution-id": run.external_id,
            "error-code": run.error[0] if run.error else None,
        }
    )
    return result or None


def _locations(artifacts: list[Artifact]) -> list[dict[str, Any]] | None:
    found = [
        {"name": item.name, "s3location": {"bucket": item.bucket, "key": item.key}} for item in artifacts
    ]
    return found or None


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
