"""Validates the actions and conditions of listeners and rules before MiniStack handles them."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError, check_quota
from local_aws.ministack.elbv2_requests import SERVICE, Request
from local_aws.ministack.elbv2_snapshot import actions_in_use, alb, users_of
from local_aws.services.elbv2 import errors, rule_actions, rule_conditions
from local_aws.services.elbv2.routing import CONDITIONS, weights

Record = Mapping[str, Any]

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
RULES = 100


def check_actions(params: Request, listener: Record) -> None:
    """Check the actions of a request. `listener` is the listener's record, as it will be."""
    member = "DefaultActions" if params.operation.endswith("Listener") else "Actions"
    given = params.members.get(member, [])
    rule_actions.check_actions(given, listener["Protocol"], str(listener["Port"]))
    for action in alb._parse_actions(params, member):
        if action["Type"] == "forward":
            _check_forward(action, listener["LoadBalancerArn"])
            _check_target_count(params.operation, action, listener["LoadBalancerArn"])
    stickiness = [key for key in params if "TargetGroupStickinessConfig.Enabled" in key]
    if any(alb._p(params, key) == "true" for key in stickiness):
        raise errors.unsupported("stickiness of target groups")


def _check_forward(action: Mapping[str, Any], balancer: str) -> None:
    groups = weights(action) if action["ForwardConfig"]["TargetGroups"] else []
    _check_group_count([arn for arn, _ in groups])
    for arn, weight in groups:
        _check_group(arn, weight, balancer)


def _check_target_count(operation: str, action: Mapping[str, Any], balancer: str) -> None:
    """Check how many targets a load balancer has with those of a new action."""
    forwards = [each for user, each in actions_in_use() if user == balancer and each["Type"] == "forward"]
    groups = {arn for each in (action, *forwards) for arn in dict(weights(each))}
    targets = sum(len(alb._targets.get(arn, [])) for arn in groups)
    check_quota(SERVICE, operation.replace("CreateListener", "ModifyListener"), targets - 1)


def _check_group_count(arns: list[str]) -> None:
    if not arns:
        raise AwsError("ValidationError", "You must specify at least one target group for a forward action")
    if len(arns) > 5:
        raise AwsError(
            "TooManyUniqueTargetGroupsPerLoadBalancer", "A forward action has up to 5 target groups"
        )
    if len(set(arns)) != len(arns):
        raise AwsError("ValidationError", "The same target group is specified more than once")


def _check_group(arn: str, weight: int, balancer: str) -> None:
    if arn not in alb._tgs:
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    if not 0 <= weight <= 999:
        raise AwsError("ValidationError", f"Weight '{weight}' must be between '0' and '999' inclusive")
    if any(user != balancer for user in users_of(arn)):
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {arn}",
        )


def create_rule(params: Request) -> None:
    """Check a new rule."""
    listener = alb._listeners.get(alb._p(params, "ListenerArn"))
    if listener is None:
        return
    _check_conditions(params)
    check_actions(params, listener)
    rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener["ListenerArn"]]
    priority = alb._p(params, "Priority")
    if any(rule["Priority"] == priority for rule in rules):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
    if len(_rules_of(listener["LoadBalancerArn"])) >= RULES:
        raise AwsError("TooManyRules", f"A load balancer can have at most {RULES} rules")


def _rules_of(balancer: str) -> list[str]:
    """Return the rules of a load balancer, without the default rules of its listeners."""
    listeners = {arn for arn, found in alb._listeners.items() if found["LoadBalancerArn"] == balancer}
    return [
        arn for arn, rule in alb._rules.items() if rule["ListenerArn"] in listeners and not rule["IsDefault"]
    ]


def modify_rule(params: Request) -> None:
    """Check the changes of a rule."""
    rule = alb._rules.get(alb._p(params, "RuleArn"))
    if rule is None:
        return
    if "Actions.member.1.Type" in params:
        check_actions(params, alb._listeners[rule["ListenerArn"]])
    if "Conditions.member.1.Field" in params:
        _check_conditions(params)


def _check_conditions(params: Request) -> None:
    rule_conditions.check_conditions(params.members.get("Conditions", []))
    for condition in alb._parse_conditions(params):
        if condition["Field"] not in CONDITIONS:
            raise errors.unsupported(f"rule conditions on {condition['Field']}")
    if alb._parse_transforms(params):
        raise errors.unsupported("rule transforms")


def delete_rule(params: Request) -> None:
    """Check that a rule exists."""
    if alb._p(params, "RuleArn") not in alb._rules:
        raise AwsError("RuleNotFound", "One or more rules not found")
