"""One build as the API shows it: its phases as they pass, and the events that tell of them."""

import threading
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any

from local_aws.core.api import now
from local_aws.core.context import Context

# CodeBuild user guide, "Build notifications input format reference".
EVENT_TIME = "%b %-d, %Y %-I:%M:%S %p"

Phase = dict[str, Any]


class Build:
    """A build's record. The engine changes it, the API copies it; `lock` is the service's."""

    def __init__(self, context: Context, lock: threading.RLock, record: dict[str, Any]) -> None:
        self.context = context
        self.lock = lock
        self.record = record
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.begin("SUBMITTED")

    @property
    def id(self) -> str:
        """The build's id, `<project>:<uuid>`."""
        return str(self.record["id"])

    def shown(self) -> dict[str, Any]:
        """Return a copy for the API."""
        with self.lock:
            return deepcopy(self.record)

    def set(self, **values: Any) -> None:
        """Change members of the record."""
        with self.lock:
            self.record |= values

    def begin(self, kind: str) -> None:
        """Enter the phase `kind`."""
        with self.lock:
            self.record["phases"].append({"phaseType": kind, "startTime": now()})
            self.record["currentPhase"] = kind

    def end(self, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        """Leave the current phase, with the reason when it failed."""
        with self.lock:
            phase = self.record["phases"][-1]
            phase["endTime"] = now()
            phase["durationInSeconds"] = int((phase["endTime"] - phase["startTime"]).total_seconds())
            phase["phaseStatus"] = status
            # Before the build has a machine there is nobody to give a context, not even an empty one.
            unheard = phase["phaseType"] in ("SUBMITTED", "QUEUED") and not (code or message)
            phase["contexts"] = [] if unheard else [{"statusCode": code, "message": message}]
        self._emit("CodeBuild Build Phase Change", _completed(phase))

    def complete(self, status: str) -> None:
        """End the build with its status (`SUCCEEDED`, `FAILED`, `STOPPED`, `FAULT`)."""
        self.begin("COMPLETED")
        with self.lock:
            self.record |= {"buildStatus": status, "buildComplete": True, "endTime": now()}
        self.announce_state()
        self.ended.set()

    def lose(self) -> None:
        """End a build whose machine is gone, by no fault of its own."""
        if "endTime" not in self.record["phases"][-1]:
            self.end("FAULT", "INTERNAL_ERROR", "local_aws ended in the middle of it")
        self.complete("FAULT")

    def announce_state(self) -> None:
        """Tell EventBridge the build's status. Never under the lock: a target of the event may call back."""
        with self.lock:
            current = self.record["phases"][-1]
            detail = {
                "build-status": self.record["buildStatus"],
                "current-phase": current["phaseType"],
                "current-phase-context": _context(current.get("contexts", [])),
            }
        self._emit("CodeBuild Build State Change", detail)

    def _emit(self, kind: str, detail: dict[str, Any]) -> None:
        with self.lock:
            record = deepcopy(self.record)
        detail |= {
            "project-name": record["projectName"],
            "build-id": record["arn"],
            "additional-information": _information(record),
            "version": "1",
        }
        self.context.emit("aws.codebuild", kind, [record["arn"]], detail)


def _completed(phase: Phase) -> dict[str, Any]:
    return {
        "completed-phase": phase["phaseType"],
        "completed-phase-status": phase["phaseStatus"],
        "completed-phase-context": _context(phase["contexts"]),
        "completed-phase-duration-seconds": phase["durationInSeconds"],
        "completed-phase-start": _time(phase["startTime"]),
        "completed-phase-end": _time(phase["endTime"]),
    }


def _information(record: dict[str, Any]) -> dict[str, Any]:
    environment = record["environment"]
    logs = record["logs"]
    return {
        "artifact": _named(record["artifacts"], md5sum="md5sum", sha256sum="sha256sum", location="location"),
        "cache": _named(record["cache"], type="type"),
        "environment": {
            "image": environment["image"],
            "privileged-mode": environment.get("privilegedMode", False),
            "image-pull-credentials-type": environment.get("imagePullCredentialsType", "CODEBUILD"),
            "compute-type": environment["computeType"],
            "type": environment["type"],
            "environment-variables": environment.get("environmentVariables", []),
        },
        "timeout-in-minutes": record["timeoutInMinutes"],
        "queued-timeout-in-minutes": record["queuedTimeoutInMinutes"],
        "build-complete": record["buildComplete"],
        "build-number": record["buildNumber"],
        "initiator": record["initiator"],
        "build-start-time": _time(record["startTime"]),
        "source": _named(record["source"], location="location", type="type", buildspec="buildspec"),
        "source-version": record.get("sourceVersion", ""),
        "logs": _named(
            logs, **{"group-name": "groupName", "stream-name": "streamName", "deep-link": "deepLink"}
        ),
        "phases": [_phase(phase) for phase in record["phases"]],
    }


def _phase(phase: Phase) -> dict[str, Any]:
    shown = {"phase-type": phase["phaseType"], "start-time": _time(phase["startTime"])}
    if "endTime" in phase:
        shown |= {
            "phase-context": list(_contexts(phase["contexts"])),
            "end-time": _time(phase["endTime"]),
            "duration-in-seconds": phase["durationInSeconds"],
            "phase-status": phase["phaseStatus"],
        }
    return shown


def _named(source: dict[str, Any], **names: str) -> dict[str, Any]:
    return {shown: source[name] for shown, name in names.items() if name in source}


def _contexts(contexts: Iterable[dict[str, str]]) -> Iterable[str]:
    return (f"{context['statusCode']}: {context['message']}" for context in contexts)


def _context(contexts: Iterable[dict[str, str]]) -> str:
    return f"[{', '.join(_contexts(contexts))}]"


def _time(moment: datetime) -> str:
    return moment.strftime(EVENT_TIME)
