"""What the code of an action provider gets: the action's execution, its artifacts and clients."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codepipeline.artifacts import Artifact
from local_aws.services.codepipeline.errors import ActionAbandonedError, ActionFailedError
from local_aws.services.codepipeline.records import ActionExecution, Execution
from local_aws.services.codepipeline.roles import ClientFactory

# Seconds between two polls of a build or a deployment. Not scaled: they are processes that really run.
POLL_SECONDS = 0.5

# Seconds in a minute of an action's timeout. Only an approval's is scaled: it is waiting, and no real work.
MINUTE = 60.0


@dataclass
class ActionContext:
    """One running action. `client` makes clients that act as its role; `archive` returns a commit's zip."""

    context: Context
    execution: Execution
    run: ActionExecution
    client: ClientFactory
    archive: Callable[[str, str], bytes]
    lock: threading.RLock
    started: float = field(default_factory=time.monotonic)

    @property
    def configuration(self) -> dict[str, str]:
        """Return the action's configuration with its variables resolved."""
        return self.run.configuration

    def input(self, name: str) -> Artifact:
        """Return one of the action's input artifacts."""
        return next(item for item in self.run.inputs if item.name == name)

    def update(self, **changes: Any) -> None:
        """Change fields of the run's record."""
        with self.lock:
            for name, value in changes.items():
                setattr(self.run, name, value)
            self.run.changed = now()

    def pause(
        self,
        seconds: float | None = None,
        timeout_message: str = "The action failed because it timed out",
    ) -> None:
        """Wait; raises `ActionAbandonedError` once abandoned, `ActionFailedError` after the timeout."""
        if self.execution.abandoned.wait(POLL_SECONDS if seconds is None else seconds):
            raise ActionAbandonedError
        limit = self.run.action.timeout_minutes * MINUTE
        if self.run.action.provider.category == "Approval":
            limit = self.context.clock.seconds(limit)
        if time.monotonic() - self.started > limit:
            raise ActionFailedError("JobFailed", timeout_message)
