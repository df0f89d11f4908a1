"""A build's log: lines as CodeBuild writes them, sent to CloudWatch Logs at once, as the service role."""

import logging
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.core.api import now

logger = logging.getLogger("local_aws")

FLUSH_SECONDS = 0.5
# CloudWatch Logs quotas of PutLogEvents: bytes an event and a batch (26 more count for each event), events.
EVENT_BYTES = 200_000
BATCH_BYTES = 900_000
BATCH_EVENTS = 5_000
EVENT_OVERHEAD = 26


class BuildLog:
    """Writes to one log stream. When the group is missing or refused, the log is lost, the build goes on."""

    def __init__(self, logs: Any, group: str | None, stream: str) -> None:
        self.logs = logs
        self.group = group
        self.stream = stream
        self._events: list[dict[str, Any]] = []
        self._rest = b""
        self._flushed = time.monotonic()
        if group is not None:
            self._try("create the stream", self.logs.create_log_stream)

    def line(self, text: str) -> None:
        """Write a line of CodeBuild's own."""
        self._end_of_output()
        self._add(f"[Container] {now().strftime('%Y/%m/%d %H:%M:%S.%f')} {text}\n")

    def output(self, chunk: bytes) -> None:
        """Write what a command has printed, line by line."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._add(line.decode(errors="replace") + "\n")
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what has not been sent."""
        self._flushed = time.monotonic()
        while self._events and self.group is not None:
            batch: list[dict[str, Any]] = []
            size = 0
            while self._events and len(batch) < BATCH_EVENTS:
                size += len(self._events[0]["message"].encode()) + EVENT_OVERHEAD
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._events.pop(0))
            self._try("write", self.logs.put_log_events, logEvents=batch)

    def close(self) -> None:
        """Send the rest."""
        self._end_of_output()
        self.flush()

    def _end_of_output(self) -> None:
        if self._rest:
            self._add(self._rest.decode(errors="replace") + "\n")
            self._rest = b""

    def _add(self, message: str) -> None:
        if self.group is None:
            return
        stamp = int(time.time() * 1000)
        for start in range(0, len(message), EVENT_BYTES // 4):
            # Four bytes are the most that a character takes.
            part = message[start : start + EVENT_BYTES // 4]
            self._events.append({"timestamp": stamp, "message": part})

    def _try(self, what: str, call: Any, **arguments: Any) -> None:
        try:
            call(logGroupName=self.group, logStreamName=self.stream, **arguments)
        except (ClientError, BotoCoreError) as error:
            logger.warning("cannot %s in the log group %s, the log is lost: %s", what, self.group, error)
            self.group = None
            self._events.clear()
