"""What CodeBuild keeps of a build: its API structure, which changes with each phase and sends events."""

import threading
from copy import deepcopy
from typing import Any, cast

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codebuild.events import PHASE_CHANGE, STATE_CHANGE, phase_change, state_change
from local_aws.services.codebuild.shapes import BuildShape


class BuildRecord:
    """A build. `shape` is what the API returns; `lock` is the service's."""

    def __init__(self, context: Context, lock: threading.RLock, shape: BuildShape) -> None:
        self.context = context
        self.lock = lock
        self.shape = shape
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.start_phase("SUBMITTED")

    @property
    def id(self) -> str:
        """The build's ID, `<project>:<uuid>`."""
        return self.shape["id"]

    def copy_shape(self) -> BuildShape:
        """Return a copy of the API structure."""
        with self.lock:
            return deepcopy(self.shape)

    def update(self, **members: Any) -> None:
        """Change members of the API structure."""
        with self.lock:
            self.shape |= cast(BuildShape, members)

    def start_phase(self, phase_type: str) -> None:
        """Start a phase."""
        with self.lock:
            self.shape["phases"].append({"phaseType": phase_type, "startTime": now()})
            self.shape["currentPhase"] = phase_type

    def end_phase(self, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        """End the current phase, with the context of a failure."""
        with self.lock:
            phase = self.shape["phases"][-1]
            end = now()
            phase["endTime"] = end
            phase["durationInSeconds"] = int((end - phase["startTime"]).total_seconds())
            phase["phaseStatus"] = status
            # The two phases before the build has a machine have no context unless they fail.
            has_context = code or message or phase["phaseType"] not in ("SUBMITTED", "QUEUED")
            phase["contexts"] = [{"statusCode": code, "message": message}] if has_context else []
            detail = phase_change(self.shape)
        self.context.emit("aws.codebuild", PHASE_CHANGE, [self.shape["arn"]], {**detail})

    def complete(self, status: str) -> None:
        """End the build with its status (`SUCCEEDED`, `FAILED`, `STOPPED`, `FAULT`)."""
        self.start_phase("COMPLETED")
        self.update(buildStatus=status, buildComplete=True, endTime=now())
        self.send_state_event()
        self.ended.set()

    def fail_after_restart(self) -> None:
        """End a build whose processes ended with an earlier local_aws."""
        if "endTime" not in self.shape["phases"][-1]:
            self.end_phase("FAULT", "INTERNAL_ERROR", "local_aws ended during the build")
        self.complete("FAULT")

    def send_state_event(self) -> None:
        """Send the build's status as an event. Not under the lock: a target of the event may call the API."""
        with self.lock:
            detail = state_change(self.shape)
        self.context.emit("aws.codebuild", STATE_CHANGE, [self.shape["arn"]], {**detail})
