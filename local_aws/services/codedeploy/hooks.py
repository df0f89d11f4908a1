"""Lifecycle hooks: Lambda functions that validate a deployment and report with an execution id."""

import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codedeploy.errors import DeploymentEndedError


@dataclass
class HookExecution:
    """One invocation of a hook, until its function reports."""

    deployment: str
    status: str = "Pending"
    reported: threading.Event = field(default_factory=threading.Event)


class Hooks:
    """The hook executions of all deployments."""

    def __init__(self) -> None:
        self._executions: dict[str, HookExecution] = {}

    def invoke(self, client: Any, deployment: str, function: str) -> str:
        """Invoke a hook's function; return the execution id that it reports with."""
        execution = secrets.token_urlsafe(48)
        self._executions[execution] = HookExecution(deployment)
        payload = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution}
        client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(payload).encode())
        return execution

    def report(self, deployment: str, execution: str, status: str) -> None:
        """Record a function's report (PutLifecycleEventHookExecutionStatus)."""
        known = self._executions.get(execution)
        if known is None or known.deployment != deployment:
            raise AwsError(
                "InvalidLifecycleEventHookExecutionIdException",
                "lifecycleEventHookExecutionId is not valid for the deployment",
            )
        if known.reported.is_set():
            raise AwsError(
                "LifecycleEventAlreadyCompletedException",
                f"The lifecycle event hook execution {execution} was already reported as {known.status}",
            )
        if status not in ("Succeeded", "Failed"):
            raise AwsError(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"{status} is not valid: a hook reports Succeeded or Failed",
            )
        known.status = status
        known.reported.set()

    def succeeded(self, execution: str, event: str) -> bool:
        """Return whether a hook has reported success; end the deployment when it reported a failure."""
        known = self._executions[execution]
        if not known.reported.is_set():
            return False
        if known.status != "Succeeded":
            text = f"The validation hook of {event} reported {known.status}."
            raise DeploymentEndedError("HOOK_EXECUTION_FAILURE", text)
        return True
