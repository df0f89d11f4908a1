"""Wrong calls of CloudWatch."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import MISSING, Wrong
from unit_tests.local_aws.fidelity.suite import Suite

VALUE = "InvalidParameterValue"
ALARM = {"AlarmName": "alarm"}
ALARM_ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm"
METRIC = {"Namespace": "n", "MetricName": "m"}
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
SPAN = {"StartTime": START, "EndTime": END}
THRESHOLD = {
    **METRIC,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
QUERIES = [{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}]
TAGGED = {"ResourceARN": f"{ALARM_ARN}:alarm"}
BODY = json.dumps({"widgets": []})
DATA = [{"MetricName": "m", "Value": 1.0}]


def prepare(account: Account) -> Mapping[str, Any]:
    """Create an alarm, and a dashboard."""
    client = account.client("cloudwatch")
    client.put_metric_alarm(**ALARM, **THRESHOLD)
    client.put_dashboard(DashboardName="dashboard", DashboardBody=BODY)
    return {}


VALID: Mapping[str, Mapping[str, Any]] = {
    "DeleteAlarms": {"AlarmNames": ["alarm"]},
    "DeleteDashboards": {"DashboardNames": ["dashboard"]},
    "DescribeAlarms": {},
    "GetDashboard": {"DashboardName": "dashboard"},
    "GetMetricData": {"MetricDataQueries": QUERIES, **SPAN},
    "GetMetricStatistics": {**METRIC, **SPAN, "Period": 60, "Statistics": ["Sum"]},
    "ListDashboards": {},
    "ListMetrics": {},
    "ListTagsForResource": TAGGED,
    "PutDashboard": {"DashboardName": "new", "DashboardBody": BODY},
    "PutMetricAlarm": {"AlarmName": "new", **THRESHOLD},
    "PutMetricData": {"Namespace": "n", "MetricData": DATA},
    "SetAlarmState": {**ALARM, "StateValue": "OK", "StateReason": "r"},
    "TagResource": {**TAGGED, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagResource": {**TAGGED, "TagKeys": ["k"]},
}
WRONG = (
    Wrong("AlarmName", "nope", "ResourceNotFound"),
    Wrong("StateReasonData", "zz", "InvalidFormat"),
    Wrong("DashboardName", "nope", "ResourceNotFound"),
    Wrong("DashboardName", "bad name!", VALUE),
    Wrong("DashboardNames", ["nope"], "ResourceNotFound"),
    Wrong("DashboardNames", ["bad name!"], VALUE),
    Wrong("DashboardBody", "zz", "InvalidParameterInput"),
    Wrong("ResourceARN", f"{ALARM_ARN}:nope", "ResourceNotFoundException"),
    Wrong("ResourceARN", "zz", VALUE),
    Wrong("NextToken", "zz", "InvalidNextToken", ("DescribeAlarms",)),
    Wrong("NextToken", "zz", VALUE),
    Wrong("Period", 7, VALUE),
    Wrong("Statistics", MISSING, "MissingParameter"),
    Wrong("Namespace", MISSING, "MissingParameter"),
    Wrong("Namespace", "AWS/ECS", VALUE, ("GetMetricStatistics", "ListMetrics")),
    Wrong("MetricData", [{"MetricName": "m", "Value": 1.0, "Values": [1.0]}], "InvalidParameterCombination"),
    Wrong("MetricData", [{"MetricName": "m", "Value": 1.0, "Unit": "Nope"}], VALUE),
    Wrong("Tags", [{"Key": "aws:k", "Value": "v"}], VALUE),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("GetMetricStatistics", {"StartTime": END, "EndTime": START}, VALUE),
    ("GetMetricStatistics", {"ExtendedStatistics": ["p99"]}, "InvalidParameterCombination"),
)
SUITE = Suite("cloudwatch", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationError")
