"""Target tracking: the alarms of a policy, and how many tasks keep its metric at the target value.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import math
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.services.application_autoscaling.records import ScalingPolicy

PERIOD = 60
HIGH_MINUTES, LOW_MINUTES = 3, 15
# AWS scales in below 90 % of the target: else a change of the number of tasks would be undone at once.
LOW_SHARE = 0.9
CPU = "ECSServiceAverageCPUUtilization"
_HIGH = "AlarmHigh"


def alarms(policy: ScalingPolicy) -> Iterator[dict[str, Any]]:
    """Yield the arguments of PutMetricAlarm for each alarm of a policy."""
    target = float(policy.configuration["TargetValue"])
    yield _alarm(policy, _HIGH, "GreaterThanThreshold", target, HIGH_MINUTES)
    if not policy.configuration.get("DisableScaleIn"):
        yield _alarm(policy, "AlarmLow", "LessThanThreshold", target * LOW_SHARE, LOW_MINUTES)


def is_high(alarm_name: str) -> bool:
    """Return whether an alarm of a policy scales out."""
    return f"-{_HIGH}-" in alarm_name


def wanted_capacity(current: int, metric: float, target: float, *, out: bool) -> int:
    """Return how many tasks would bring the metric to the target, never fewer when scaling out."""
    # Rounded first: 3 * 0.2 / 0.1 is a little more than 6.
    proportional = math.ceil(round(current * metric / target, 6))
    return max(proportional, current) if out else min(proportional, current)


def _alarm(policy: ScalingPolicy, kind: str, operator: str, threshold: float, minutes: int) -> dict[str, Any]:
    return {
        "AlarmName": f"TargetTracking-{policy.resource}-{kind}-{uuid.uuid4()}",
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
        "ComparisonOperator": operator,
        "Threshold": threshold,
        "EvaluationPeriods": minutes,
        "AlarmActions": [policy.arn],
        **_metric(policy),
    }


def _metric(policy: ScalingPolicy) -> dict[str, Any]:
    if "PredefinedMetricSpecification" in policy.configuration:
        _, cluster, service = policy.resource.split("/")
        dimensions = {"ClusterName": cluster, "ServiceName": service}
        return {
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Statistic": "Average",
            "Period": PERIOD,
        }
    custom = policy.configuration["CustomizedMetricSpecification"]
    if "Metrics" in custom:
        return {"Metrics": [_query(query) for query in custom["Metrics"]]}
    return {**custom, "Period": PERIOD}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in query:
        return dict(query)
    return {**query, "MetricStat": {**query["MetricStat"], "Period": PERIOD}}
