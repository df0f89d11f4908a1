"""What a resource's own policy lets an AWS service do with it."""

from typing import Any

from local_aws.ministack.private import require

iam_evaluator = require("core.iam_evaluator", "EvalContext", "evaluate_resource_policy")


def allows(policy: Any, service: str, action: str, resource: str) -> bool:
    """Say whether `policy` lets `service` (as `events.amazonaws.com`) do `action` to `resource`.

    No aws:SourceArn and no aws:SourceAccount are known: EventBridge sends none for an encrypted topic.
    """
    asked = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region="",
        secure_transport=True,
    )
    decision = iam_evaluator.evaluate_resource_policy(policy, asked, service=service).decision
    return bool(decision == "Allow")
