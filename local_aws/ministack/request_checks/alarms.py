"""What CloudWatch refuses: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html."""

import math
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from local_aws.core.api import service_model
from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Checks, Rule, Test, is_no_json, some, unlike
from local_aws.ministack.request_checks.tags import TagCodes

cloudwatch = require("services.cloudwatch", "_alarms", "_composite_alarms", "_dashboards")

VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
ARN = r"arn:aws[\w-]*:cloudwatch:[a-z0-9-]*:\d{12}:(alarm|dashboard|insight-rule|metric-stream)[:/].+"
TAG_OPERATIONS = ("ListTagsForResource", "TagResource", "UntagResource")
DASHBOARD_NAME = r"[\w-]{1,255}"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
LARGEST, BEHIND, AHEAD = 2.0**360, 14 * 86400.0, 2 * 3600.0
PERIODS = (1, 5, 10, 20, 30)


def _is_untagged(arn: str) -> bool:
    kind, _, name = arn.split(":", 5)[5].replace("/", ":").partition(":")
    alarms = (cloudwatch._alarms, cloudwatch._composite_alarms)
    return kind == "alarm" and not any(name in stored for stored in alarms)


def _is_no_period(seconds: int) -> bool:
    return seconds not in PERIODS and (seconds <= 0 or seconds % 60 != 0)


@cache
def _units() -> frozenset[str]:
    return frozenset(service_model("cloudwatch").shape_for("StandardUnit").enum)


def _both(one: str, other: str) -> Test:
    return lambda given: one in given and other in given


def _starts_late(params: Mapping[str, Any]) -> bool:
    return bool(params["StartTime"] >= params["EndTime"])


def _is_no_number(datum: Mapping[str, Any]) -> bool:
    values = [datum.get("Value", 0.0), *datum.get("Values", ())]
    # JSON has no infinity: the SDKs send it as a text.
    return not all(math.isfinite(float(value)) and abs(float(value)) <= LARGEST for value in values)


def _is_out_of_time(datum: Mapping[str, Any]) -> bool:
    at = datum.get("Timestamp")
    return at is not None and not -AHEAD <= time.time() - at.timestamp() <= BEHIND


STATISTICS = ("GetMetricStatistics",)
CHECKS = Checks(
    invalid="ValidationError",
    forms=(
        Rule(
            "MetricData",
            some(lambda datum: datum.get("Unit", "None") not in _units()),
            VALUE,
            "The parameter MetricData.member.1.Unit must be a value in the set of units.",
        ),
        Rule(
            "",
            lambda given: not given.get("Namespace"),
            "MissingParameter",
            "The parameter Namespace is required.",
            (*STATISTICS, "PutMetricData"),
        ),
        Rule(
            "",
            lambda given: not given.get("MetricName") or "Period" not in given,
            "MissingParameter",
            "The parameters MetricName and Period are required.",
            STATISTICS,
        ),
    ),
    states=(
        Rule(
            "MetricData",
            some(_is_no_number),
            VALUE,
            "The value for parameter MetricData.member.1.Value is invalid.",
        ),
        Rule(
            "MetricData",
            some(_is_out_of_time),
            VALUE,
            "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
        ),
        Rule(
            "",
            lambda given: not given.get("Statistics") and not given.get("ExtendedStatistics"),
            "MissingParameter",
            "The parameter Statistics or ExtendedStatistics must be specified.",
            STATISTICS,
        ),
        Rule(
            "",
            _both("Statistics", "ExtendedStatistics"),
            COMBINATION,
            "Statistics and ExtendedStatistics must not both be specified.",
            STATISTICS,
        ),
        Rule(
            "",
            _starts_late,
            VALUE,
            "The parameter StartTime must be less than the parameter EndTime.",
            STATISTICS,
        ),
        Rule(
            "Period",
            _is_no_period,
            VALUE,
            "The parameter Period must be a multiple of 60.",
            STATISTICS,
        ),
        Rule(
            "Namespace",
            lambda name: str(name).startswith("AWS/"),
            VALUE,
            "The value AWS/ for parameter Namespace is invalid.",
            ("PutMetricData",),
        ),
        Rule(
            "MetricData",
            some(_both("Value", "Values")),
            COMBINATION,
            "The parameters Value and Values are mutually exclusive.",
        ),
        # MiniStack has no pages of these.
        Rule("NextToken", bool, "InvalidNextToken", "Invalid NextToken", ("GetMetricData",)),
        Rule("NextToken", bool, VALUE, "Invalid NextToken", ("ListDashboards", "ListMetrics")),
        Rule(
            "StateReasonData",
            is_no_json,
            "InvalidFormat",
            "State reason data is not valid JSON.",
        ),
        Rule(
            "DashboardName",
            unlike(DASHBOARD_NAME),
            VALUE,
            "The value {} for DashboardName is invalid.",
            ("GetDashboard",),
        ),
        Rule("DashboardNames", some(unlike(DASHBOARD_NAME)), VALUE, "A value for DashboardNames is invalid."),
        Rule("ResourceARN", unlike(ARN), VALUE, "Invalid resource ARN: {}", TAG_OPERATIONS),
        Rule(
            "ResourceARN", _is_untagged, "ResourceNotFoundException", "Unknown resource: {}", TAG_OPERATIONS
        ),
    ),
    tags=TagCodes(VALUE),
)
