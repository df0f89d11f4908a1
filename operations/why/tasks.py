"""What went wrong with the tasks of a deployment: their exit codes, their log, and the service's events."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from operations.account import Account, batches
from operations.names import Names
from operations.why.log_lines import last_exception, one_line

# A log group that has more is read to here.
MOST_EVENTS = 20_000
PROBLEM = re.compile(
    r"unable to|unhealthy|AccessDenied|Cannot\w+Error|ResourceInitializationError|failed|error", re.I
)
OUT_OF_MEMORY = 137


@dataclass(frozen=True)
class Span:
    """A deployment's time; its tasks are of `task_set`."""

    began: datetime
    ended: datetime | None
    task_set: str

    def contains(self, at: datetime) -> bool:
        """Return whether it lasted at this time."""
        return self.began <= at <= (self.ended or datetime.now(UTC))


@dataclass(frozen=True)
class Problem:
    """What went wrong with tasks, what to do, and the command that prints more about it."""

    text: str
    remedy: str
    log: str


# What a stopped task or an event of the service says, and the remedy of the runbook; the first counts.
REMEDIES = (
    (
        r"invalid ssm parameters: /([\w-]+)/(\w+)",
        r"run `python -m operations secrets set \1 \2`, then retry the stage",
    ),
    (
        r"unable to assume|AccessDenied|not authorized",
        "grant the execution role what the line names, then retry the stage",
    ),
    (r"CannotPull", "the image has expired, or the execution role may not pull it: push again"),
    (r"exit code 137|OutOfMemory", "raise `memory` in `taskdef.json`"),
    (r"health checks|unhealthy", "make the health check path answer 200 on `PORT`, and push"),
    (r"", "read the tasks' log, and push the fix"),
)


def problem_of_tasks(account: Account, names: Names, span: Span) -> Problem | None:
    """Return why tasks of a deployment do not run; None if nothing says so."""
    stopped = list(_stopped_tasks(account, names, span.task_set))
    # A task that could not start says more than the event about it, which says more than nothing.
    found = [*map(_reason, stopped), *_events(account, names, span)]
    if not found:
        return None
    text, log = found[0], _events_command(names)
    if exception := exception_of_tasks(account, names, span):
        text, log = f"{text}; {exception}", log_command(names.task_log_group)
    matches = ((re.search(pattern, text), remedy) for pattern, remedy in REMEDIES)
    return Problem(text, next(match.expand(remedy) for match, remedy in matches if match), log)


def exception_of_tasks(account: Account, names: Names, span: Span) -> str:
    """Return the last exception in the log of the service during a deployment, or ""."""
    began = int(span.began.timestamp() * 1000)
    ended = {} if span.ended is None else {"endTime": int(span.ended.timestamp() * 1000)}
    events = account.pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=names.task_log_group,
        startTime=began,
        **ended,
    )
    # Streams are merged by time: the lines of one traceback stay together only within theirs.
    streams: dict[str, list[str]] = {}
    for event in islice(events, MOST_EVENTS):
        streams.setdefault(event.get("logStreamName", ""), []).append(event["message"])
    exceptions = (last_exception(lines) for lines in reversed(streams.values()))
    return next(filter(None, exceptions), "")


def _stopped_tasks(account: Account, names: Names, task_set: str) -> Iterator[Mapping[str, Any]]:
    """Yield the stopped tasks of a task set that did not stop as they should.

    ECS lists them for an hour: https://repost.aws/knowledge-center/ecs-task-stopped
    """
    arns = list(
        account.pages(
            "ecs",
            "list_tasks",
            "taskArns",
            cluster=names.cluster,
            family=names.task_family,
            desiredStatus="STOPPED",
        )
    )
    for some in batches(arns, 100):
        for task in account.client("ecs").describe_tasks(cluster=names.cluster, tasks=some)["tasks"]:
            if task.get("startedBy") == task_set and not _is_expected(task):
                yield task


def _is_expected(task: Mapping[str, Any]) -> bool:
    """Return whether the service itself has stopped a task that was healthy."""
    by_the_service = task.get("stopCode") == "ServiceSchedulerInitiated"
    return by_the_service and "health checks" not in task.get("stoppedReason", "")


def _reason(task: Mapping[str, Any]) -> str:
    name = task["taskArn"].rpartition("/")[2][:8]
    codes = [
        f"{one['name']} exit code {one['exitCode']}"
        for one in task.get("containers", [])
        if one.get("exitCode")
    ]
    reasons = [str(one["reason"]) for one in task.get("containers", []) if one.get("reason")]
    about = ", ".join([str(task.get("stoppedReason", "no reason given")), *codes, *reasons])
    return one_line(f"task {name} stopped: {about}")


def _events(account: Account, names: Names, span: Span) -> Iterator[str]:
    """Yield what the service's events say is wrong during a deployment, those with a reason first."""
    found = account.client("ecs").describe_services(cluster=names.cluster, services=[names.service])
    messages = [
        event["message"]
        for service in found["services"]
        for event in service.get("events", [])
        if span.contains(event["createdAt"]) and PROBLEM.search(event["message"])
    ]
    messages.sort(key=lambda message: "unable to consistently start" in message)
    yield from (one_line(message) for message in messages)


def _events_command(names: Names) -> str:
    return (
        f"aws ecs describe-services --cluster {names.cluster} --services {names.service} "
        "--query 'services[0].events[:10].message'"
    )


def log_command(group: str, pattern: str = "") -> str:
    """Return the command that prints the last lines of a log group, or those with a pattern."""
    chosen = f" --filter-pattern '\"{pattern}\"'" if pattern else ""
    return (
        f"aws logs filter-log-events --log-group-name {group}{chosen} "
        "--query 'events[-50:].message' --output text"
    )
