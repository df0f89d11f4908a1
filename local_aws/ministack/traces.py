"""Keeps MiniStack from holding a second copy of each log event, and each event of EventBridge, for ever.

A local_aws that serves requests for hours would grow by both with each of them.
"""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

eventbridge = require("services.eventbridge", "_events_log_list")
logs = require("services.cloudwatch_logs", "_build_log_record", "_log_groups", "_log_records")


def patch_traces() -> None:
    """Make the fields of a log event when GetLogRecord asks for them, and drop what nothing reads."""
    logs._log_records = LogRecords()
    eventbridge._events_log_list = list


class LogRecords:
    """The fields of each log event by its pointer, which is the event's id."""

    def __setitem__(self, pointer: str, record: Mapping[str, Any]) -> None:
        """Store nothing: the event has all of it."""

    def items(self) -> tuple[()]:
        """Return no records: those of a deleted stream or group go with its events."""
        return ()

    def get(self, pointer: str) -> Mapping[str, Any] | None:
        """Return the fields of an event, or None."""
        for group, content in logs._log_groups.items():
            for stream, found in content["streams"].items():
                for event in found["events"]:
                    if event.get("eventId") == pointer:
                        record: Mapping[str, Any] = logs._build_log_record(
                            ptr=pointer,
                            timestamp_ms=event["timestamp"],
                            message=event["message"],
                            log_group=group,
                            log_stream=stream,
                        )
                        return record
        return None
