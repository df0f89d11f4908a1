"""What EventBridge refuses: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html."""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Checks, Rule
from local_aws.ministack.request_checks.tags import TagCodes

events = require("services.eventbridge", "_event_buses", "_rule_key", "_rules", "_targets")

NOT_FOUND = "ResourceNotFoundException"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
TARGETS, RULES = 5, 300


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


def _is_full(params: Mapping[str, Any]) -> bool:
    """Return whether an event bus has as many rules as it can have."""
    bus = _key({**params, "Name": ""})
    return _is_missing(params) and len([key for key in list(events._rules) if key.startswith(bus)]) >= RULES


CHECKS = Checks(
    invalid="ValidationException",
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
