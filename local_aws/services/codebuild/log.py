"""A build's log: lines in CodeBuild's format, sent to CloudWatch Logs while the build runs."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.api import now

logger = logging.getLogger("local_aws")

FLUSH_SECONDS = 0.5
# Below the quotas of PutLogEvents, which count 26 bytes more for each event.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_EVENT_BYTES = 200_000
MAX_BATCH_BYTES = 900_000
MAX_BATCH_EVENTS = 5_000
EVENT_OVERHEAD_BYTES = 26


class LogEvent(TypedDict):
    """API structure InputLogEvent."""

    timestamp: int
    message: str


class BuildLog:
    """Writes to one log stream, in a log group that it creates if the role may.

    Without a log group, or access to it, the build runs without a log.
    """

    def __init__(self, logs: Any, group: str | None, stream: str) -> None:
        self.logs = logs
        self.group = group
        self.stream = stream
        self._events: list[LogEvent] = []
        self._incomplete = b""
        self._last_flush = time.monotonic()
        if group is not None:
            self._call("create the log stream", self._create_stream)

    def _create_stream(self, **names: str) -> None:
        try:
            self.logs.create_log_stream(**names)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self.logs.create_log_group(logGroupName=names["logGroupName"])
            self.logs.create_log_stream(**names)

    def line(self, text: str) -> None:
        """Write a line of CodeBuild itself."""
        self._end_line()
        self._add(f"[Container] {now().strftime('%Y/%m/%d %H:%M:%S.%f')} {text}\n")

    def output(self, chunk: bytes) -> None:
        """Write the output of a command."""
        *lines, self._incomplete = (self._incomplete + chunk).split(b"\n")
        for line in lines:
            self._add(line.decode(errors="replace") + "\n")
        if time.monotonic() - self._last_flush > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the lines that are not sent yet."""
        self._last_flush = time.monotonic()
        while self._events and self.group is not None:
            batch: list[LogEvent] = []
            size = 0
            while self._events and len(batch) < MAX_BATCH_EVENTS:
                size += len(self._events[0]["message"].encode()) + EVENT_OVERHEAD_BYTES
                if batch and size > MAX_BATCH_BYTES:
                    break
                batch.append(self._events.pop(0))
            self._call("write", self.logs.put_log_events, logEvents=batch)

    def close(self) -> None:
        """Write the last, incomplete line, and send everything."""
        self._end_line()
        self.flush()

    def _end_line(self) -> None:
        if self._incomplete:
            self._add(self._incomplete.decode(errors="replace") + "\n")
            self._incomplete = b""

    def _add(self, message: str) -> None:
        if self.group is None:
            return
        timestamp = int(time.time() * 1000)
        for start in range(0, len(message), MAX_EVENT_BYTES // 4):
            # A character has at most four bytes in UTF-8.
            part = message[start : start + MAX_EVENT_BYTES // 4]
            self._events.append({"timestamp": timestamp, "message": part})

    def _call(self, purpose: str, operation: Callable[..., Any], **arguments: Any) -> None:
        try:
            operation(logGroupName=self.group, logStreamName=self.stream, **arguments)
        except (ClientError, BotoCoreError) as error:
            logger.warning(
                "cannot %s in the log group %s, so the log of the build is lost: %s",
                purpose,
                self.group,
                error,
            )
            self.group = None
            self._events.clear()
