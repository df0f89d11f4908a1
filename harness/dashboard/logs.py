"""The last lines of the logs: of the newest build, and of the tasks."""

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from harness.cloud import Cloud

LINES = 80
# A service writes a line for every request, and most are asked by health checks: they drown the others. Its
# logger is PACKAGE.access, and a pattern cannot say "ends in" of lines of which some are no JSON: AWS leaves
# out what it can, by a member that these lines alone have, and what comes is looked at here.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
NO_REQUESTS = '-"duration_ms"'
ACCESS = ".access"
# Looked back at first; and at each look, since a log group shows some lines late.
FIRST_SECONDS = 900.0
LATE_SECONDS = 15.0


class BuildLog:
    """The log of the build `id`, which may be none yet."""

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
    """What all tasks wrote into one log group, without the lines of requests."""

    def __init__(self, cloud: Cloud, group: str) -> None:
        self.cloud = cloud
        self.group = group
        self._seen: deque[tuple[str, int, str]] = deque(maxlen=LINES)
        self._since = time.time() - FIRST_SECONDS

    def tail(self) -> list[str]:
        """Return the last lines, each with its moment and its task."""
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
            if line not in self._seen and not _of_a_request(event["message"]):
                self._seen.append(line)
        self._since = began - LATE_SECONDS
        return [said(*line) for line in self._seen]


def said(stream: str, timestamp: int, message: str) -> str:
    """Return a line of a task's log to be read: its moment in UTC, the task, and what it says."""
    moment = time.strftime("%H:%M:%S", time.gmtime(timestamp / 1000))
    return f"{moment} {stream.rpartition('/')[2][:6]} {_words(message.rstrip())}"


def _of_a_request(message: str) -> bool:
    return str(_json(message).get("logger", "")).endswith(ACCESS)


def _words(message: str) -> str:
    """Return a line of the service's own JSON in words, and any other as it is."""
    line = _json(message)
    if "message" not in line:
        return message
    said: list[Any] = [line.get("level", ""), line["message"], line.get("exception", "")]
    return " ".join(str(word) for word in said if word)


def _json(message: str) -> Mapping[str, Any]:
    """Return the members of a line of JSON; none of any other."""
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, Mapping) else {}
