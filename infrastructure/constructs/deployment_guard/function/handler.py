"""Stop a deployment without the test-traffic hook, with other tasks, or with other alarms.

For a promotion, the pipeline of another environment writes both files: this function is the target's own.
This folder is the function's code, so its modules import only each other and what the Lambda runtime has.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from . import app_spec, shift
from .task_definition import Limits, TaskDefinitionError

DETAIL_TYPE = "Deployment Refused"
ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
# AWS's own word for the creator, which CreateDeployment does not take. What ran before was checked before:
# https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
ROLLBACK = "codeDeployRollback"
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 4})
# What may not stand in the JSON string of an input template.
_NO_TEXT = re.compile(r'[^ -~]|["\\]')
_LONGEST = 500


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """Check the deployment of an event of CodeDeploy, or those in progress for an event of a task.

    Events of tasks come too because CodeDeploy's may be lost: EventBridge gets ECS's at least once.
    https://docs.aws.amazon.com/eventbridge/latest/ref/event-delivery-level.html
    """
    deployment = event["detail"].get("deploymentId")
    refused: dict[str, str] = {}
    for each in [deployment] if deployment else _active():
        reason = _reason(each)
        print(json.dumps({"deployment": each, "reason": reason}))
        if reason:
            refused[each] = reason
            _stop(each, reason)
    return refused


def _active() -> Sequence[str]:
    found: Sequence[str] = _client("codedeploy").list_deployments(
        applicationName=os.environ["APPLICATION"],
        deploymentGroupName=os.environ["DEPLOYMENT_GROUP"],
        includeOnlyStatuses=list(ACTIVE),
    )["deployments"]
    return found


def _reason(deployment: str) -> str:
    """Return why a deployment must stop, or an empty text."""
    try:
        _check(deployment)
    except (app_spec.AppSpecError, shift.ShiftError, TaskDefinitionError) as error:
        return f"{type(error).__name__}: {error}"
    # Whatever the error is. Where another pipeline writes the files, what cannot be checked gets no traffic.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if os.environ["IS_TARGET"] == "true":
            return reason
        print(json.dumps({"deployment": deployment, "notChecked": reason}))
    return ""


def _check(deployment: str) -> None:
    rules = json.loads(os.environ["RULES"])
    codedeploy = _client("codedeploy")
    info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
    if info.get("creator") == ROLLBACK:
        return
    group = codedeploy.get_deployment_group(
        applicationName=os.environ["APPLICATION"], deploymentGroupName=os.environ["DEPLOYMENT_GROUP"]
    )
    shift.check(info, group["deploymentGroupInfo"])
    # GetDeployment does not return the content: its page in the API reference.
    revision = codedeploy.get_application_revision(
        applicationName=os.environ["APPLICATION"], revision=info["revision"]
    )["revision"]
    content = (revision.get("appSpecContent") or revision.get("string") or {}).get("content", "")
    try:
        task = app_spec.task_definition(content, rules.pop("appspec"))
    except app_spec.AppSpecError as error:
        has_no_hook = content and not app_spec.names_hook(content, os.environ["HOOK"])
        if has_no_hook or os.environ["IS_TARGET"] == "true":
            raise
        # AWS documents no form in which it returns what this environment's own Build has written.
        raise RuntimeError(f"the AppSpec names the hook, and is not compared: {error}") from error
    rules["sidecar_images"] = tuple(rules["sidecar_images"])
    rules["sidecar_fields"] = frozenset(rules["sidecar_fields"])
    Limits(**rules).check(_client("ecs").describe_task_definition(taskDefinition=task)["taskDefinition"])


def _stop(deployment: str, reason: str) -> None:
    """Stop a deployment, which CodeDeploy rolls back, and tell the topic and the event log.

    Raises what the calls raise, so that Lambda invokes the function again.
    """
    codedeploy = _client("codedeploy")
    outcome = "stopped"
    try:
        codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    except codedeploy.exceptions.DeploymentAlreadyCompletedException:
        if codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"] != "Succeeded":
            return
        outcome = "NOT stopped, because it had ended: roll back"
    # EventBridge inserts them into a JSON string in the input template of the topic's rule.
    detail = {
        "application": os.environ["APPLICATION"],
        "deploymentGroup": os.environ["DEPLOYMENT_GROUP"],
        "deploymentId": deployment,
        "outcome": outcome,
        "reason": _NO_TEXT.sub("'", reason)[:_LONGEST],
    }
    entry = {"Source": os.environ["EVENT_SOURCE"], "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}
    if _client("events").put_events(Entries=[entry])["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused the event about {deployment}, which is {outcome}")


def _client(service: str) -> Any:
    return boto3.client(service, config=_CALLS)
