"""Evaluates CloudWatch alarms as AWS does: by dimensions and periods, with missing data as configured.

MiniStack evaluates all points of a metric's name as one period, whatever their dimensions.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import math
import operator
import time
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.notifications import denial_reason

NAMES = (
    "_calc_stats",
    "_dims_key",
    "_dispatch_alarm_actions",
    "_evaluate_alarm",
    "_evaluate_parent_alarms",
    "_evict_old_metrics",
    "_metrics",
    "_record_history",
    "_stat_value",
    "logger",
)
SERVICE = "cloudwatch.amazonaws.com"
# CloudWatch keeps points of one-minute periods for 15 days; expired points are removed every hour.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
RETENTION, EVICTION_INTERVAL = 15 * 24 * 3600, 3600
ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def patch_alarm_evaluation(context: Context) -> None:
    """Evaluate alarms on one metric, with their periods scaled by the clock.

    CloudWatch publishes to topics: the policies of the topic and of its key must allow the service.
    """
    clock = context.clock
    cloudwatch = require("services.cloudwatch", *NAMES)

    def evaluate(alarm: dict[str, Any]) -> None:
        if not alarm.get("Namespace") or not alarm.get("MetricName"):
            return
        state = alarm_state(alarm, _datapoints(cloudwatch, alarm, clock))
        before = alarm["StateValue"]
        if state == before:
            return
        reason = f"Threshold Crossed: the last {alarm['EvaluationPeriods']} periods make it {state}"
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        _dispatch_actions(context, cloudwatch, alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._evict_old_metrics = make_eviction(cloudwatch, clock)


def make_eviction(cloudwatch: Any, clock: Clock) -> Callable[[], None]:
    """Return a function that removes expired points; MiniStack's own checks every point at each request."""
    last_eviction = time.monotonic()

    def evict() -> None:
        nonlocal last_eviction
        if time.monotonic() - last_eviction < clock.seconds(EVICTION_INTERVAL):
            return
        last_eviction = time.monotonic()
        oldest = time.time() - clock.seconds(RETENTION)
        for key, points in list(cloudwatch._metrics.items()):
            cloudwatch._metrics[key] = [point for point in points if point["Timestamp"] >= oldest]
            if not cloudwatch._metrics[key]:
                del cloudwatch._metrics[key]

    return evict


def _dispatch_actions(
    context: Context, cloudwatch: Any, alarm: dict[str, Any], before: str, state: str, reason: str
) -> None:
    """Run the alarm's actions, except for topics that do not allow CloudWatch to publish (pitfall G1)."""
    key = ACTIONS[state]
    allowed = []
    for action in alarm.get(key) or []:
        reason_denied = denial_reason(context, SERVICE, action, alarm.get("AlarmArn", ""))
        if reason_denied:
            # AWS records it in the alarm's history and continues; the warning is a background error.
            cloudwatch.logger.warning("CloudWatch alarm → SNS %s refused: %s", action, reason_denied)
        else:
            allowed.append(action)
    cloudwatch._dispatch_alarm_actions({**alarm, key: allowed}, before, state, reason)


def _datapoints(cloudwatch: Any, alarm: Mapping[str, Any], clock: Clock) -> list[float | None]:
    """Return the statistic of the last complete periods, the newest last; None for one without points."""
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values: list[float | None] = []
    for points in _points_by_period(cloudwatch, alarm, clock):
        statistics = cloudwatch._calc_stats(points)
        values.append(cloudwatch._stat_value(statistics, statistic, points) if statistics else None)
    return values


def _points_by_period(cloudwatch: Any, alarm: Mapping[str, Any], clock: Clock) -> list[list[Any]]:
    period = clock.seconds(int(alarm["Period"]))
    current = math.floor(time.time() / period)
    evaluated = range(current - int(alarm["EvaluationPeriods"]), current)
    periods: dict[int, list[Any]] = {number: [] for number in evaluated}
    # One pass over the points, however many periods: a metric of latencies has hundreds.
    for point in list(cloudwatch._metrics.get(_metric_key(cloudwatch, alarm), [])):
        number = math.floor(point["Timestamp"] / period)
        if number in periods:
            periods[number].append(point)
    return list(periods.values())


def _metric_key(cloudwatch: Any, alarm: Mapping[str, Any]) -> tuple[Any, ...]:
    dimensions = alarm.get("Dimensions") or {}
    if not isinstance(dimensions, Mapping):
        dimensions = {item["Name"]: item["Value"] for item in dimensions}
    return (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))


def alarm_state(alarm: Mapping[str, Any], datapoints: list[float | None]) -> str:
    """Return the state of an alarm on one metric, from one datapoint for each period."""
    missing = alarm.get("TreatMissingData") or "missing"
    if missing == "ignore" and None in datapoints:
        return str(alarm["StateValue"])
    if missing == "missing" and all(value is None for value in datapoints):
        return "INSUFFICIENT_DATA"
    breaching = _breaching_count(alarm, datapoints, missing)
    needed = int(alarm.get("DatapointsToAlarm") or len(datapoints))
    return "ALARM" if breaching >= needed else "OK"


def _breaching_count(alarm: Mapping[str, Any], datapoints: list[float | None], missing: str) -> int:
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    return sum(
        missing == "breaching" if value is None else breaches(value, threshold) for value in datapoints
    )
