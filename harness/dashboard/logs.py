"""The last log lines of the newest build and of the tasks."""

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from harness.cloud import Cloud

LINES = 80
# A service logs every request, and most requests are health checks, which would hide the other lines. Their
# logger is PACKAGE.access. A filter pattern cannot match the end of a member where some lines are not JSON,
# so AWS filters by a member that only these lines have, and the rest is filtered here.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
NO_REQUESTS = '-"duration_ms"'
ACCESS = ".access"
# How far back the first read goes, and each further read: a log group returns some lines late.
FIRST_SECONDS = 900.0
LATE_SECONDS = 15.0


class BuildLog:
    """The log of the build `id`, which is empty before the first build."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.id = ""

    def tail(self) -> list[str]:
        """Return the last lines."""
        builds = self.cloud.client("codebuild").batch_get_builds(ids=[self.id])["builds"] if self.id else []
        where = builds[0].get("logs", {}) if builds else {}
        if "streamName" not in where:
            return []
        found = self.cloud.client("logs").get_log_events(
            logGroupName=where["groupName"], logStreamName=where["streamName"], limit=LINES
        )
        return [event["message"].rstrip() for event in found["events"]]


class TaskLog:
    """The log group of all tasks, `group`, without the access log."""

    def __init__(self, cloud: Cloud, group: str = "") -> None:
        self.cloud = cloud
        self.group = group
        self._seen: deque[tuple[str, int, str]] = deque(maxlen=LINES)
        self._since = time.time() - FIRST_SECONDS

    def tail(self) -> list[str]:
        """Return the last lines, each with its time and its task."""
        began = time.time()
        found = self.cloud.account.pages(
            "logs",
            "filter_log_events",
            "events",
            logGroupName=self.group,
            startTime=int(self._since * 1000),
            filterPattern=NO_REQUESTS,
        )
        for event in found:
            line = (event["logStreamName"], event["timestamp"], event["message"])
            if line not in self._seen and not _is_access_log(event["message"]):
                self._seen.append(line)
        self._since = began - LATE_SECONDS
        return [formatted(*line) for line in self._seen]


def formatted(stream: str, timestamp: int, message: str) -> str:
    """Return a line of a task's log for display: its time in UTC, the task, and the message."""
    moment = time.strftime("%H:%M:%S", time.gmtime(timestamp / 1000))
    return f"{moment} {stream.rpartition('/')[2][:6]} {_message(message.rstrip())}"


def _is_access_log(message: str) -> bool:
    return str(_json(message).get("logger", "")).endswith(ACCESS)


def _message(message: str) -> str:
    """Return the text of a line of the service's JSON log, and any other line as it is."""
    line = _json(message)
    if "message" not in line:
        return message
    words: list[Any] = [line.get("level", ""), line["message"], line.get("exception", "")]
    return " ".join(str(word) for word in words if word)


def _json(message: str) -> Mapping[str, Any]:
    """Return the members of a JSON object; none for any other line."""
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, Mapping) else {}
