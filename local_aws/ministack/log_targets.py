"""Delivers EventBridge events to log groups, if their resource policy allows it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions
"""

import json
import time
import uuid
from typing import Any

from local_aws.core.context import Context
from local_aws.ministack.compat import require

eventbridge = require("services.eventbridge", "_invoke_target", "_pattern_event_view")
logs = require(
    "services.cloudwatch_logs",
    "_create_log_stream",
    "_log_groups",
    "_put_log_events",
)

# The service of rules, and the one that delivers their events: a policy must allow both.
WRITERS = ("events.amazonaws.com", "delivery.logs.amazonaws.com")
# Whether the rule is the source. Terraform's documentation requires it of the event, not of the stream.
ACTIONS = {"logs:CreateLogStream": False, "logs:PutLogEvents": True}
# A log group takes the whole event, or a transformer's {"timestamp", "message"}, which is not supported.
INPUT_OPTIONS = ("Input", "InputPath", "InputTransformer")


def patch_log_targets(context: Context) -> None:
    """Deliver events for log groups, and pass those for other targets on."""
    original = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        arn = target.get("Arn", "")
        if arn.split(":")[2:3] != ["logs"]:
            original(target, event, rule, view)
            return
        whole = (view or eventbridge._pattern_event_view(event)).event_with_detail()
        reason_denied = denial_reason(context, target, rule.get("Arn", "")) or _write(arn, whole)
        if reason_denied:
            # AWS drops the event and counts a FailedInvocation. The warning is a background error.
            eventbridge.logger.warning("EventBridge → CloudWatch Logs %s refused: %s", arn, reason_denied)

    eventbridge._invoke_target = invoke


def denial_reason(context: Context, target: dict[str, Any], rule_arn: str) -> str | None:
    """Return why an event of a rule cannot be written to a target, or None."""
    group = _group(target["Arn"])
    if group not in logs._log_groups:
        # Also an ARN with `:*`, as CloudFormation returns it: AWS accepts the rule and delivers nothing.
        return f"there is no log group {group}"
    unsupported = [key for key in INPUT_OPTIONS if target.get(key)]
    if unsupported:
        return f"local_aws does not support {unsupported[0]} for log groups"
    if target.get("RoleArn"):
        return "a log group takes no RoleArn"
    stream = f"{target['Arn']}:log-stream:any"
    for writer in WRITERS:
        for action, has_source in ACTIONS.items():
            if context.denial_reason(writer, action, stream, rule_arn if has_source else ""):
                return f"no resource policy allows {writer} {action}"
    return None


def _group(arn: str) -> str:
    return arn.partition(":log-group:")[2]


def _write(arn: str, event: dict[str, Any]) -> str | None:
    group = _group(arn)
    stream = str(uuid.uuid5(uuid.NAMESPACE_URL, arn))
    logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    line = {"timestamp": int(time.time() * 1000), "message": json.dumps(event)}
    status, _, body = logs._put_log_events(
        {"logGroupName": group, "logStreamName": stream, "logEvents": [line]}
    )
    return None if status == 200 else str(body)
