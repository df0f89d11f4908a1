"""What the logs say about a release. CloudWatch Logs returns a line some time after it was written."""

import json
from typing import Any

from harness.cloud import Cloud
from harness.release import Release
from operations.waiting import NotYetError, TimedOutError, wait_for

# AWS's minutes until a line is returned; real work takes none of them.
MINUTES, WORK_MINUTES = 5.0, 0.5
LOG_LINES = 60


def error_message(cloud: Cloud, release: Release, expected: str = "") -> str:
    """Return why a release failed: CodeDeploy's error, or the end of the build's log.

    The log is read until it has a line, and `expected`; if it never has, the last state is returned.
    """
    if release.deployment:
        answer = cloud.client("codedeploy").get_deployment(deploymentId=release.deployment)
        error = answer["deploymentInfo"].get("errorInformation", {})
        return f"{error.get('code', '')}: {error.get('message', '')}"
    if not release.build:
        return ""
    log = cloud.client("codebuild").batch_get_builds(ids=[release.build])["builds"][0]["logs"]

    def look() -> str:
        answer = cloud.client("logs").get_log_events(
            logGroupName=log["groupName"], logStreamName=log["streamName"], limit=LOG_LINES
        )
        text = "\n".join(event["message"].rstrip() for event in answer["events"])
        if not text or expected not in text:
            raise NotYetError(text)
        return text

    try:
        return wait_for("the log of the build", look, deadline=cloud.minutes(MINUTES, own=WORK_MINUTES))
    except TimedOutError as error:
        return error.state


def hook_line(cloud: Cloud, group: str, deployment: str) -> dict[str, Any]:
    """Wait for the JSON that a function logs in `group` about a deployment, or an execution; return it."""

    def look() -> dict[str, Any]:
        answer = cloud.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{deployment}"')
        # Lambda has lines of its own.
        lines = [event["message"] for event in answer["events"] if event["message"].startswith("{")]
        if not lines:
            raise NotYetError(f"{group} has no line about {deployment}")
        line: dict[str, Any] = json.loads(lines[-1])
        return line

    deadline = cloud.minutes(MINUTES, own=WORK_MINUTES)
    return wait_for(f"the hook's line about {deployment}", look, deadline=deadline)


def break_glass(cloud: Cloud, group: str, deployment: str) -> str:
    """Return the break-glass that let a deployment pass failed checks of the hook; empty if none did."""
    try:
        line = hook_line(cloud, group, deployment)
    except TimedOutError:
        return ""
    if not line.get("ignored"):
        return ""
    opened = line["breakGlass"]
    who = f"opened by {opened['by']} until {opened['until']}"
    return f"{opened['reason']} ({who}), for {'; '.join(line['ignored'].values())}"
