"""Bounds the events of a log group: they are in memory here, where AWS stores them without a limit."""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

logs = require("services.cloudwatch_logs", "_log_events_lock", "_log_groups", "_put_log_events")

# About 30 MB. The second is how many more there may be, so that few calls remove any.
MOST_EVENTS, SLACK = 50_000, 5_000


def patch_log_limits() -> None:
    """Let each PutLogEvents drop the oldest events of a group that has too many."""
    put = logs._put_log_events

    def bounded(data: Mapping[str, Any]) -> Any:
        response = put(data)
        group = logs._log_groups.get(data.get("logGroupName"))
        if group is not None:
            with logs._log_events_lock:
                trim(group["streams"])
        return response

    logs._put_log_events = bounded


def trim(streams: Mapping[str, dict[str, Any]]) -> None:
    """Drop the first events of the streams that have been silent for longest."""
    excess = sum(len(stream["events"]) for stream in streams.values()) - MOST_EVENTS
    if excess < SLACK:
        return
    for stream in sorted(streams.values(), key=lambda stream: stream["lastEventTimestamp"] or 0):
        # Another list: the former one may be read.
        dropped, stream["events"] = stream["events"][:excess], stream["events"][excess:]
        if dropped and stream["events"]:
            stream["firstEventTimestamp"] = stream["events"][0]["timestamp"]
        excess -= len(dropped)
        if excess <= 0:
            return
