"""The awslogs log driver: sends the output of containers to CloudWatch Logs, as the execution role."""

import logging
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger("local_aws")

FLUSH_SECONDS = 0.5


class LogStream:
    """One container's log stream; raises `ClientError` when it cannot be created."""

    def __init__(self, client: Any, options: Mapping[str, str], container: str, task_id: str) -> None:
        self.client = client
        self.group = options["awslogs-group"]
        prefix = options.get("awslogs-stream-prefix")
        self.name = f"{prefix}/{container}/{task_id}" if prefix else task_id
        if options.get("awslogs-create-group") == "true":
            try:
                self.client.create_log_group(logGroupName=self.group)
            except self.client.exceptions.ResourceAlreadyExistsException:
                logger.debug("log group %s already exists", self.group)
        self.client.create_log_stream(logGroupName=self.group, logStreamName=self.name)
        self._lines: queue.Queue[tuple[int, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._send, name=f"awslogs-{task_id[:8]}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Send one line. Empty lines are skipped: CloudWatch Logs rejects them."""
        if line:
            self._lines.put((int(time.time() * 1000), line))

    def close(self) -> None:
        """Send the remaining lines."""
        self._lines.put(None)
        self._thread.join(10)

    def _send(self) -> None:
        ended = False
        while not ended:
            first = self._lines.get()
            if first is None:
                return
            time.sleep(FLUSH_SECONDS)
            events = [first]
            while not self._lines.empty() and len(events) < 1000:
                item = self._lines.get()
                if item is None:
                    ended = True
                    break
                events.append(item)
            self._put(events)

    def _put(self, events: list[tuple[int, str]]) -> None:
        try:
            self.client.put_log_events(
                logGroupName=self.group,
                logStreamName=self.name,
                logEvents=[{"timestamp": stamp, "message": line} for stamp, line in events],
            )
        except (BotoCoreError, ClientError) as error:
            # As on Fargate, the task continues without these lines.
            logger.warning("%s lines of %s/%s are lost: %s", len(events), self.group, self.name, error)
