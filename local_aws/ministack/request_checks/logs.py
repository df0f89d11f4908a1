"""What CloudWatch Logs refuses: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.tag_rules import LIMIT
from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Checks, Rule, is_no_json, other_than, unlike
from local_aws.ministack.request_checks.tags import TagCodes

INVALID = "InvalidParameterException"
ARN = r"arn:aws[\w-]*:logs:[\w-]+:\d{12}:.+"


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
METRIC_FILTERS = 100
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
logs = require("services.cloudwatch_logs", "_log_groups", "_metric_filters")
lambda_svc = require("services.lambda_svc", "_functions")


def _is_out_of_order(events: list[Mapping[str, Any]]) -> bool:
    times = [event["timestamp"] for event in events]
    return times != sorted(times)


def _has_too_many_tags(params: Mapping[str, Any]) -> bool:
    group = logs._log_groups.get(params["resourceArn"].partition(":log-group:")[2].removesuffix(":*")) or {}
    return len({*group.get("tags", {}), *params["tags"]}) > LIMIT


def _is_missing_function(arn: str) -> bool:
    _, _, name = arn.partition(":function:")
    return bool(name) and name.partition(":")[0] not in lambda_svc._functions


def _has_too_many_filters(params: Mapping[str, Any]) -> bool:
    names = [name for group, name in list(logs._metric_filters) if group == params["logGroupName"]]
    return params["filterName"] not in names and len(names) >= METRIC_FILTERS


CHECKS = Checks(
    invalid=INVALID,
    forms=(
        Rule(
            "filterPattern",
            unlike(r"\s*([^{\[\s].*|\{.*\}|\[.*\])?\s*"),
            INVALID,
            "Invalid filter pattern: {}",
        ),
        Rule(
            "retentionInDays",
            other_than(*RETENTIONS),
            INVALID,
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: {list(RETENTIONS)}",
        ),
    ),
    states=(
        # https://github.com/app-sre/qontract-reconcile/pull/1291
        Rule(
            "destinationArn",
            _is_missing_function,
            INVALID,
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
            "execute your function.",
            ("PutSubscriptionFilter",),
        ),
        Rule(
            "logEvents",
            _is_out_of_order,
            INVALID,
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        Rule("resourceArn", unlike(ARN), INVALID, "The resource ARN {} is not valid."),
        Rule(
            "",
            _has_too_many_tags,
            "TooManyTagsException",
            f"A resource can have no more than {LIMIT} tags.",
            ("TagResource",),
        ),
        Rule(
            "",
            _has_too_many_filters,
            "LimitExceededException",
            f"A log group can have at most {METRIC_FILTERS} metric filters.",
            ("PutMetricFilter",),
        ),
        Rule("policyDocument", is_no_json, INVALID, "Resource Policy Syntax Error in JSON string."),
    ),
    tags=TagCodes(INVALID),
)
