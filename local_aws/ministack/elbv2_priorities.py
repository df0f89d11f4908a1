"""Rejects priorities of listener rules that another rule has, or that the default rule cannot have.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html#API_SetRulePriorities_Errors
"""

from local_aws.core.api import AwsError
from local_aws.ministack.elbv2_requests import Request
from local_aws.ministack.elbv2_snapshot import alb


def check_priorities(request: Request) -> None:
    """Reject the new priorities of rules, all of which change at once."""
    pairs = request.members.get("RulePriorities", [])
    given = {pair["RuleArn"]: str(pair["Priority"]) for pair in pairs if "RuleArn" in pair}
    for arn, priority in given.items():
        rule = alb._rules.get(arn)
        if rule is None:
            raise AwsError("RuleNotFound", "One or more rules not found")
        if rule["IsDefault"]:
            raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be modified")
        for other, found in alb._rules.items():
            shares = found["ListenerArn"] == rule["ListenerArn"] and other not in given
            if shares and str(found["Priority"]) == priority:
                raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
