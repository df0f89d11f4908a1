"""Why a deployment failed: CodeDeploy's error, and behind it the hook's, the tasks' or the alarm's reason."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.names import Names
from operations.why.cause import RETRY, Cause
from operations.why.log_lines import one_line
from operations.why.tasks import Span, exception_of_tasks, log_command, problem_of_tasks

GREEN = "Green"
Info = Mapping[str, Any]
# CodeDeploy's message, and the remedy of the runbook; the first counts.
REMEDIES = (
    (r"must be behind listener", "run `python -m operations drift {suffix}`"),
    (r"already has an active [Dd]eployment", "wait until it ends, then retry the stage"),
    (r"PermissionError", "find the denied call in CloudTrail"),
    (r"Exception while trying to read", "correct `artifacts` in `buildspec.yml`"),
    (r"MANUAL_STOP", f"{RETRY} to release it after all"),
    (r"", 'see "The stage Deploy failed" in docs/operations.md'),
)

# A part of the hook's reason -> the section of the runbook.
_SECTIONS = {
    "the scan of the image": "A finding of the image scan",
    "the findings of": "A finding of the image scan",
    "has no signature by": "An image without a signature",
    "no approver has approved the image": "An image that nobody approved",
}


def explain_deployment(account: Account, names: Names, deployment: str) -> Cause:
    """Return why a deployment of CodeDeploy failed."""
    info: Info = account.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]
    error = info.get("errorInformation", {})
    explain = _EXPLAIN.get(error.get("code", ""), _explain_others)
    return explain(account, names, info)


def explain_message(names: Names, message: str) -> Cause:
    """Return why an action failed that made no deployment, or one that this account cannot read."""
    return Cause("", one_line(message) or "no reason given", _remedy(names, message))


def problem_in_progress(account: Account, names: Names, deployment: str) -> Cause | None:
    """Return why the tasks of a deployment do not start, while it still waits for them."""
    info = account.client("codedeploy").get_deployment(deploymentId=deployment)["deploymentInfo"]
    problem = problem_of_tasks(account, names, _span(info, ecs_target(account, info["deploymentId"])))
    return Cause("tasks", problem.text, problem.remedy, problem.log) if problem else None


def _explain_hook(account: Account, names: Names, info: Info) -> Cause:
    """Return the hook's own reason: CodeDeploy only says that it failed (pitfall N6)."""
    group = f"/lambda/{names.traffic_hook}"
    log = log_command(group, info["deploymentId"])
    gate = "test-traffic hook"
    line = _hook_line(account, group, info["deploymentId"])
    if line is None:
        reason = f"{_message(info)}, and the hook's log has no line about {info['deploymentId']}"
        remedy = f"enable the rule `test-traffic-hook-schedule-{names.suffix}`, and {RETRY}"
        return Cause(gate, one_line(reason), remedy, log)
    reason = re.sub(
        r"^(HookError|ScanError|SignatureError|ApprovalError): ", "", str(line.get("reason", _message(info)))
    )
    for part, section in _SECTIONS.items():
        if part in reason:
            return Cause(gate, one_line(reason), f'see "{section}" in docs/operations.md', log)
    if exception := exception_of_tasks(
        account, names, _span(info, ecs_target(account, info["deploymentId"]))
    ):
        reason = f"{one_line(reason)}; the tasks' log: {exception}"
    remedy = "fix the code and push; `smokePaths` names the expected statuses"
    return Cause(gate, reason, remedy, log)


def _hook_line(account: Account, group: str, deployment: str) -> Info | None:
    events = account.pages(
        "logs", "filter_log_events", "events", logGroupName=group, filterPattern=f'"{deployment}"'
    )
    lines = [event["message"] for event in events if event["message"].startswith("{")]
    found: list[Info] = [json.loads(line) for line in lines]
    return next((line for line in reversed(found) if line.get("deployment") == deployment), None)


def _explain_alarm(account: Account, names: Names, info: Info) -> Cause:
    """Return which alarm was in ALARM and why, and the exception of the tasks that caused it."""
    message = _message(info)
    alarms = re.findall(rf"[\w-]+-{re.escape(names.suffix)}\b", message.partition("Activated alarms:")[2])
    reasons = [one for name in alarms if (one := _alarm_reason(account, name, info))]
    reason = "; ".join(reasons) or one_line(message)
    gate = ", ".join(["alarm", *alarms]) if alarms else "alarm"
    target = ecs_target(account, info["deploymentId"]) if info.get("startTime") else {}
    if not _has_begun(target):
        remedy = 'see "Deploying a fix while an alarm is active" in docs/operations.md'
        return Cause(gate, reason, remedy)
    if exception := exception_of_tasks(account, names, _span(info, target)):
        reason = f"{reason}; the tasks' log: {exception}"
    remedy = "CodeDeploy has rolled back: see the section of that alarm in docs/operations.md"
    return Cause(gate, reason, remedy, log_command(names.task_log_group))


def _alarm_reason(account: Account, name: str, info: Info) -> str:
    """Return why an alarm entered ALARM during a deployment, as its history has it."""
    history = account.pages(
        "cloudwatch",
        "describe_alarm_history",
        "AlarmHistoryItems",
        AlarmName=name,
        HistoryItemType="StateUpdate",
    )
    for item in history:
        new = json.loads(item.get("HistoryData", "{}")).get("newState", {})
        if new.get("stateValue") == "ALARM" and item["Timestamp"] <= info.get(
            "completeTime", item["Timestamp"]
        ):
            return one_line(f"{name}: {new.get('stateReason', '')}")
    return ""


def _explain_tasks(account: Account, names: Names, info: Info) -> Cause:
    """Return why the replacement tasks did not become healthy."""
    problem = problem_of_tasks(account, names, _span(info, ecs_target(account, info["deploymentId"])))
    if problem is None:
        return Cause(
            "tasks",
            one_line(_message(info)),
            "read the tasks' log, and push the fix",
            log_command(names.task_log_group),
        )
    return Cause("tasks", problem.text, problem.remedy, problem.log)


def _explain_others(account: Account, names: Names, info: Info) -> Cause:
    error = info.get("errorInformation", {})
    text = f"{error.get('code', info['status'])}: {error.get('message', '')}"
    return Cause(_failed_event(account, info), one_line(text), _remedy(names, text))


def _explain_stop(account: Account, names: Names, info: Info) -> Cause:
    """Return why the deployment guard stopped a deployment; otherwise, a person did."""
    group = f"/lambda/{names.deployment_guard}"
    line = _hook_line(account, group, info["deploymentId"]) or {}
    if not line.get("reason"):
        return _explain_others(account, names, info)
    remedy = 'see "A deployment that the guard stopped" in docs/operations.md'
    log = log_command(group, info["deploymentId"])
    return Cause("deployment guard", one_line(line["reason"]), remedy, log)


_EXPLAIN: Mapping[str, Callable[[Account, Names, Info], Cause]] = {
    "HOOK_EXECUTION_FAILURE": _explain_hook,
    "ALARM_ACTIVE": _explain_alarm,
    "MANUAL_STOP": _explain_stop,
    "TIMEOUT": _explain_tasks,
}


def _remedy(names: Names, message: str) -> str:
    remedy = next(remedy for pattern, remedy in REMEDIES if re.search(pattern, message))
    return remedy.format(suffix=names.suffix)


def _message(info: Info) -> str:
    return str(info.get("errorInformation", {}).get("message", ""))


def ecs_target(account: Account, deployment: str) -> Info:
    """Return the ECS target of a deployment; none before it has started."""
    client = account.client("codedeploy")
    try:
        targets = client.list_deployment_targets(deploymentId=deployment)["targetIds"]
    except ClientError as error:
        if code_of(error) != "DeploymentNotStartedException":
            raise
        return {}
    if not targets:
        return {}
    answer = client.batch_get_deployment_targets(deploymentId=deployment, targetIds=targets)
    target: Info = answer["deploymentTargets"][0]["ecsTarget"]
    return target


def _span(info: Info, target: Info) -> Span:
    task_sets = target.get("taskSetsInfo", [])
    # The key is misspelled in AWS's own model.
    green = next((one["identifer"] for one in task_sets if one.get("taskSetLabel") == GREEN), "")
    return Span(info["createTime"], info.get("completeTime"), green)


def _has_begun(target: Info) -> bool:
    events = target.get("lifecycleEvents", [])
    return any(event["status"] in ("Succeeded", "Failed") for event in events)


def _failed_event(account: Account, info: Info) -> str:
    events = ecs_target(account, info["deploymentId"]).get("lifecycleEvents", [])
    return next((event["lifecycleEventName"] for event in events if event["status"] == "Failed"), "")
