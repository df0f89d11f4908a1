"""CodeBuild's events on the default bus: "Build State Change" and "Build Phase Change".

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, TypedDict

from local_aws.services.codebuild.shapes import BuildPhaseShape, BuildShape, PhaseContextShape

STATE_CHANGE = "CodeBuild Build State Change"
PHASE_CHANGE = "CodeBuild Build Phase Change"
TIME_FORMAT = "%b %-d, %Y %-I:%M:%S %p"

PhaseInformation = TypedDict(
    "PhaseInformation",
    {
        "phase-type": str,
        "start-time": str,
        "phase-context": list[str],
        "end-time": str,
        "duration-in-seconds": int,
        "phase-status": str,
    },
    total=False,
)

AdditionalInformation = TypedDict(
    "AdditionalInformation",
    {
        "artifact": Mapping[str, object],
        "cache": Mapping[str, object],
        "environment": Mapping[str, object],
        "timeout-in-minutes": int,
        "queued-timeout-in-minutes": int,
        "build-complete": bool,
        "build-number": int,
        "initiator": str,
        "build-start-time": str,
        "source": Mapping[str, object],
        "source-version": str,
        "logs": Mapping[str, object],
        "phases": list[PhaseInformation],
    },
)

_CommonDetail = TypedDict(
    "_CommonDetail",
    {
        "project-name": str,
        "build-id": str,
        "additional-information": AdditionalInformation,
        "version": str,
    },
)

StateChange = TypedDict(
    "StateChange",
    {
        "project-name": str,
        "build-id": str,
        "additional-information": AdditionalInformation,
        "version": str,
        "build-status": str,
        "current-phase": str,
        "current-phase-context": str,
    },
)

PhaseChange = TypedDict(
    "PhaseChange",
    {
        "project-name": str,
        "build-id": str,
        "additional-information": AdditionalInformation,
        "version": str,
        "completed-phase": str,
        "completed-phase-status": str,
        "completed-phase-context": str,
        "completed-phase-duration-seconds": int,
        "completed-phase-start": str,
        "completed-phase-end": str,
    },
)


def state_change(build: BuildShape) -> StateChange:
    """Return the detail of a state change."""
    phase = build["phases"][-1]
    return {
        "build-status": build["buildStatus"],
        "current-phase": phase["phaseType"],
        "current-phase-context": _context_text(phase.get("contexts", [])),
        **_common_detail(build),
    }


def phase_change(build: BuildShape) -> PhaseChange:
    """Return the detail of the end of the build's last phase."""
    phase = build["phases"][-1]
    return {
        "completed-phase": phase["phaseType"],
        "completed-phase-status": phase["phaseStatus"],
        "completed-phase-context": _context_text(phase["contexts"]),
        "completed-phase-duration-seconds": phase["durationInSeconds"],
        "completed-phase-start": _timestamp(phase["startTime"]),
        "completed-phase-end": _timestamp(phase["endTime"]),
        **_common_detail(build),
    }


def _common_detail(build: BuildShape) -> _CommonDetail:
    return {
        "project-name": build["projectName"],
        "build-id": build["arn"],
        "additional-information": deepcopy(_additional_information(build)),
        "version": "1",
    }


def _additional_information(build: BuildShape) -> AdditionalInformation:
    environment = build["environment"]
    return {
        "artifact": _renamed(build["artifacts"], md5sum="md5sum", sha256sum="sha256sum", location="location"),
        "cache": _renamed(build["cache"], type="type"),
        "environment": {
            "image": environment["image"],
            "privileged-mode": environment.get("privilegedMode", False),
            "image-pull-credentials-type": environment.get("imagePullCredentialsType", "CODEBUILD"),
            "compute-type": environment["computeType"],
            "type": environment["type"],
            "environment-variables": environment.get("environmentVariables", []),
        },
        "timeout-in-minutes": build["timeoutInMinutes"],
        "queued-timeout-in-minutes": build["queuedTimeoutInMinutes"],
        "build-complete": build["buildComplete"],
        "build-number": build["buildNumber"],
        "initiator": build["initiator"],
        "build-start-time": _timestamp(build["startTime"]),
        "source": _renamed(build["source"], location="location", type="type", buildspec="buildspec"),
        "source-version": build.get("sourceVersion", ""),
        "logs": _renamed(
            build["logs"],
            **{"group-name": "groupName", "stream-name": "streamName", "deep-link": "deepLink"},
        ),
        "phases": [_phase_information(phase) for phase in build["phases"]],
    }


def _phase_information(phase: BuildPhaseShape) -> PhaseInformation:
    information: PhaseInformation = {
        "phase-type": phase["phaseType"],
        "start-time": _timestamp(phase["startTime"]),
    }
    if "endTime" in phase:
        information |= {
            "phase-context": list(_context_texts(phase["contexts"])),
            "end-time": _timestamp(phase["endTime"]),
            "duration-in-seconds": phase["durationInSeconds"],
            "phase-status": phase["phaseStatus"],
        }
    return information


def _renamed(shape: Mapping[str, Any], **names: str) -> dict[str, object]:
    """Return the members of an API structure under the names that the event has for them."""
    return {event_name: shape[name] for event_name, name in names.items() if name in shape}


def _context_texts(contexts: Iterable[PhaseContextShape]) -> Iterable[str]:
    return (f"{context['statusCode']}: {context['message']}" for context in contexts)


def _context_text(contexts: Iterable[PhaseContextShape]) -> str:
    return f"[{', '.join(_context_texts(contexts))}]"


def _timestamp(moment: datetime) -> str:
    return moment.strftime(TIME_FORMAT)
