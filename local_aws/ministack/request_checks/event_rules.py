"""What EventBridge refuses: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html."""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Checks, Rule, some
from local_aws.ministack.request_checks.tags import TagCodes

events = require(
    "services.eventbridge",
    *("_event_buses", "_event_pattern_error", "_rule_key", "_rules", "_targets"),
    "_validate_schedule_expression",
)

ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
NOT_FOUND = "ResourceNotFoundException"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
TARGETS, RULES = 5, 300
# The services of targets that EventBridge calls as a role; a function, a topic and others have a policy.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html#eb-target-permissions
WITH_ROLE = frozenset({"batch", "codebuild", "codepipeline", "ecs", "firehose", "kinesis", "states"})
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
INPUTS = ("Input", "InputPath", "InputTransformer")


def _bus(name: object) -> str:
    """Return the name of an event bus, which may be given by its ARN."""
    return str(name).rpartition("/")[2]


def _key(params: Mapping[str, Any]) -> str:
    name = params.get("Rule") or params.get("Name")
    return str(events._rule_key(name, _bus(params.get("EventBusName", "default"))))


def _is_missing(params: Mapping[str, Any]) -> bool:
    return _key(params) not in events._rules


def _has_too_many(params: Mapping[str, Any]) -> bool:
    ids = {target["Id"] for target in events._targets.get(_key(params), [])}
    return len(ids | {target["Id"] for target in params["Targets"]}) > TARGETS


def _lacks_role(target: Mapping[str, Any]) -> bool:
    service = str(target.get("Arn")).split(":")[2:3]
    return not target.get("RoleArn") and not WITH_ROLE.isdisjoint(service)


def _has_two_inputs(target: Mapping[str, Any]) -> bool:
    return sum(target.get(name) is not None for name in INPUTS) > 1


def _has_targets(params: Mapping[str, Any]) -> bool:
    return bool(events._targets.get(_key(params)))


def _is_full(params: Mapping[str, Any]) -> bool:
    """Return whether an event bus has as many rules as it can have."""
    bus = _key({**params, "Name": ""})
    return _is_missing(params) and len([key for key in list(events._rules) if key.startswith(bus)]) >= RULES


CHECKS = Checks(
    invalid="ValidationException",
    forms=(
        # https://github.com/awsdocs/aws-cloudformation-user-guide/pull/456
        Rule(
            "",
            lambda given: not given.get("EventPattern") and not given.get("ScheduleExpression"),
            "ValidationException",
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            ("PutRule",),
        ),
        Rule(
            "ScheduleExpression",
            lambda text: not events._validate_schedule_expression(text),
            "ValidationException",
            "Parameter ScheduleExpression is not valid.",
            ("PutRule",),
        ),
        Rule(
            "EventPattern",
            lambda text: bool(events._event_pattern_error(text)),
            "InvalidEventPatternException",
            "Event pattern is not valid.",
            ("PutRule",),
        ),
        Rule(
            "Targets",
            some(lambda target: ARN.fullmatch(str(target.get("Arn"))) is None),
            "ValidationException",
            "Parameter Arn is not valid. Reason: Provided Arn is not in correct format.",
            ("PutTargets",),
        ),
        # https://github.com/awsdocs/aws-codepipeline-user-guide/pull/18
        Rule(
            "Targets",
            some(_lacks_role),
            "ValidationException",
            "RoleArn is required for target.",
            ("PutTargets",),
        ),
        Rule(
            "Targets",
            some(_has_two_inputs),
            "ValidationException",
            "Only one of Input, InputPath, or InputTransformer must be provided for a target.",
            ("PutTargets",),
        ),
    ),
    states=(
        Rule(
            "EventBusName",
            lambda name: _bus(name) != "default" and _bus(name) not in events._event_buses,
            NOT_FOUND,
            "Event bus {} does not exist.",
        ),
        Rule(
            "",
            _is_missing,
            NOT_FOUND,
            "Rule does not exist on EventBus.",
            ("DisableRule", "EnableRule", "ListTargetsByRule", "PutTargets", "RemoveTargets"),
        ),
        Rule(
            "",
            _is_full,
            "LimitExceededException",
            f"The requested resource exceeds the maximum number allowed: {RULES} rules.",
            ("PutRule",),
        ),
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
        Rule(
            "",
            _has_targets,
            "ValidationException",
            "Rule can't be deleted since it has targets.",
            ("DeleteRule",),
        ),
        Rule(
            "",
            _has_too_many,
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
            ("PutTargets",),
        ),
    ),
    tags=TagCodes("ValidationException"),
)
