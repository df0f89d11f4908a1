"""What an action works with, and how it ends other than well."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.records import ActionExecution, Execution
from local_aws.services.codepipeline.roles import Clients

# Seconds of this machine between two looks at a build or a deployment: its work is real, so not scaled.
LOOK_EVERY = 0.5

# A timeout of real work is not scaled either; an approval's is, as it is nothing but waiting.
MINUTE = 60.0

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AccessDeniedFault", "UnauthorizedOperation"})


class ActionFailedError(Exception):
    """An action that ends as Failed, with the error code and message that the API shows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ActionAbandonedError(Exception):
    """An action whose execution was stopped and abandoned."""


@dataclass
class Work:
    """One action at work. `client` makes clients as the action's role; `archive` zips a commit."""

    context: Context
    execution: Execution
    run: ActionExecution
    client: Clients
    archive: Callable[[str, str], bytes]
    lock: threading.RLock
    begun: float = field(default_factory=time.monotonic)

    @property
    def configuration(self) -> dict[str, str]:
        """Return the action's configuration with its variables resolved."""
        return self.run.configuration

    def input(self, name: str) -> Artifact:
        """Return one of the action's input artifacts."""
        return next(item for item in self.run.inputs if item.name == name)

    def note(self, **changes: Any) -> None:
        """Record what has become known of the run, for readers of the API."""
        with self.lock:
            for name, value in changes.items():
                setattr(self.run, name, value)
            self.run.changed = now()

    def pause(
        self, seconds: float | None = None, late: str = "The action failed because it timed out"
    ) -> None:
        """Wait; raises `ActionAbandonedError` once abandoned, `ActionFailedError(late)` past the timeout."""
        if self.execution.abandoned.wait(LOOK_EVERY if seconds is None else seconds):
            raise ActionAbandonedError
        limit = self.run.action.timeout_minutes * MINUTE
        if self.run.action.provider.category == "Approval":
            limit = self.context.clock.seconds(limit)
        if time.monotonic() - self.begun > limit:
            raise ActionFailedError("JobFailed", late)


def is_denied(error: ClientError) -> bool:
    """Say whether AWS refused for want of a permission."""
    return error.response["Error"]["Code"] in DENIED


def words(error: ClientError) -> str:
    """Return AWS's message of a refusal, with the code as SDKs write it."""
    found = error.response["Error"]
    return f"{found.get('Message', '')} (Error Code: {found['Code']})"
