"""Delivers EventBridge events to functions, if the function's resource policy allows the rule.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions
"""

from typing import Any

from local_aws.core.context import Context
from local_aws.ministack.compat import require

eventbridge = require("services.eventbridge", "_invoke_target")
EVENTS = "events.amazonaws.com"


def patch_function_targets(context: Context) -> None:
    """Drop events that EventBridge may not deliver to a function, and pass the others on."""
    original = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        arn = target.get("Arn", "")
        if arn.split(":")[2:3] == ["lambda"]:
            reason = context.denial_reason(EVENTS, "lambda:InvokeFunction", arn, rule.get("Arn", ""))
            if reason:
                # AWS drops the event and counts a FailedInvocation. The warning is a background error.
                eventbridge.logger.warning("EventBridge → Lambda %s refused: %s", arn, reason)
                return
        original(target, event, rule, view)

    eventbridge._invoke_target = invoke
