"""CloudWatch's alarms evaluated as AWS does: by dimensions and period, missing data as configured.

MiniStack takes every point of a metric's name, whatever its dimensions, as one long period.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import math
import operator
import time
from collections.abc import Mapping
from typing import Any

from local_aws.clock import Clock
from local_aws.ministack.private import require

NAMES = (
    "_calc_stats",
    "_dims_key",
    "_dispatch_alarm_actions",
    "_evaluate_alarm",
    "_evaluate_parent_alarms",
    "_metrics",
    "_record_history",
    "_stat_value",
)
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def install(clock: Clock) -> None:
    """Evaluate alarms on one metric by `clock`: their periods are waits that a user configures."""
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
        cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    cloudwatch._evaluate_alarm = evaluate


def _datapoints(cloudwatch: Any, alarm: Mapping[str, Any], clock: Clock) -> list[float | None]:
    """Return the statistic of each of the last complete periods, the newest last; None where nothing came."""
    dimensions = alarm.get("Dimensions") or {}
    if not isinstance(dimensions, Mapping):
        dimensions = {item["Name"]: item["Value"] for item in dimensions}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = list(cloudwatch._metrics.get(key, []))
    period = clock.seconds(int(alarm["Period"]))
    current = math.floor(time.time() / period)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values: list[float | None] = []
    for number in range(current - int(alarm["EvaluationPeriods"]), current):
        within = [point for point in points if math.floor(point["Timestamp"] / period) == number]
        statistics = cloudwatch._calc_stats(within)
        values.append(cloudwatch._stat_value(statistics, statistic, within) if statistics else None)
    return values


def alarm_state(alarm: Mapping[str, Any], datapoints: list[float | None]) -> str:
    """Return the state that `datapoints`, one a period, give an alarm on one metric."""
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    missing = alarm.get("TreatMissingData") or "missing"
    if missing == "ignore" and None in datapoints:
        return str(alarm["StateValue"])
    if missing == "missing" and all(value is None for value in datapoints):
        return "INSUFFICIENT_DATA"
    breaching = [
        missing == "breaching" if value is None else breaches(value, float(alarm["Threshold"]))
        for value in datapoints
    ]
    needed = int(alarm.get("DatapointsToAlarm") or len(datapoints))
    return "ALARM" if sum(breaching) >= needed else "OK"
