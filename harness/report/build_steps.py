"""Where the seconds of a Build stage go: the phases of its builds, and the commands in their logs.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.cloud import Cloud
from harness.report.evidence import BuildStep, BuildTimes

# What CodeBuild itself writes. The first line of a command that has several is its name.
_LINE = re.compile(r"\[Container\] (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(\.\d+)? ([^\n]*)")
_COMMAND, _PHASE = "Running command ", "Entering phase "
# The phases that have no command begin with what CodeBuild does before the first one.
_COMMAND_PHASES = ("INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD")
# What takes less is not worth a row of its own.
SHORTEST = 0.1


def builds_of(cloud: Cloud, actions: Iterable[dict[str, Any]]) -> tuple[BuildTimes, ...]:
    """Return the builds of the Build stage in an execution's actions, in the order in which they began."""
    names = {
        found: action["actionName"]
        for action in actions
        if action["stageName"] == "Build"
        and (found := action.get("output", {}).get("executionResult", {}).get("externalExecutionId"))
    }
    if not names:
        return ()
    builds = cloud.client("codebuild").batch_get_builds(ids=list(names))["builds"]
    times = [_times(cloud, names[build["id"]], build) for build in builds if "endTime" in build]
    times.sort(key=lambda one: one.began)
    follows = zip(times[1:], times, strict=False)
    return (*times[:1], *(replace(then, order=_order(first, then)) for then, first in follows))


def lines(builds: Iterable[BuildTimes]) -> Iterator[str]:
    """Yield the builds as a table for a terminal."""
    for build in builds:
        yield f"{build.seconds:8.1f} s  {build.action}{', ' if build.order else ''}{build.order}"
        for step in build.steps:
            yield f"{step.seconds:12.1f} s  {step.phase}{': ' if step.name else ''}{step.name}"


def _order(first: BuildTimes, then: BuildTimes) -> str:
    if then.began < first.ended:
        return f"side by side with {first.action}"
    return f"begun {then.began - first.ended:.1f} s after the end of {first.action}"


def _times(cloud: Cloud, action: str, build: dict[str, Any]) -> BuildTimes:
    began, ended = build["startTime"].timestamp(), build["endTime"].timestamp()
    commands = list(_commands(_log(cloud, build["logs"]))) if "groupName" in build.get("logs", {}) else []
    steps = [step for phase in build["phases"] for step in _steps(phase, commands)]
    long = [step for step in steps if step.seconds >= SHORTEST]
    rest = (ended - began) - sum(step.seconds for step in long)
    return BuildTimes(action, build["id"], began, ended, (*long, BuildStep("everything else", "", rest)))


def _steps(phase: dict[str, Any], commands: list[BuildStep]) -> Iterator[BuildStep]:
    """Yield the commands of a phase, before them what remains of its time."""
    if "endTime" not in phase:
        return
    name = phase["phaseType"]
    own = [one for one in commands if one.phase == name] if name in _COMMAND_PHASES else []
    seconds = (phase["endTime"] - phase["startTime"]).total_seconds()
    yield BuildStep(name, "besides its commands" if own else "", seconds - sum(one.seconds for one in own))
    yield from own


def _commands(messages: Iterable[str]) -> Iterator[BuildStep]:
    """Yield the commands of a log; each ends where CodeBuild writes its next line."""
    phase, running, since = "", "", 0.0
    for match in filter(None, map(_LINE.match, messages)):
        at = datetime.strptime(match[1], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
        at += float(match[2] or 0)
        if running:
            yield BuildStep(phase, running, at - since)
        text, running, since = match[3], "", at
        if text.startswith(_PHASE):
            phase = text.removeprefix(_PHASE).strip()
        elif text.startswith(_COMMAND):
            running = text.removeprefix(_COMMAND).lstrip("# ")


def _log(cloud: Cloud, log: dict[str, Any]) -> Iterator[str]:
    """Yield the messages of a build's log: as far as CloudWatch Logs returns them already."""
    pages = cloud.account.pages
    found = pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=log["groupName"],
        logStreamNames=[log["streamName"]],
        filterPattern='"[Container]"',
    )
    yield from (str(event["message"]) for event in found)
