"""CloudWatch's alarms evaluated as AWS does: by dimensions and period, missing data as configured.

MiniStack takes every point of a metric's name, whatever its dimensions, as one long period.
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
# How long points of a minute are kept: 15 days; a point more or less in an hour is nobody's loss.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
RETENTION, TIDIED_EVERY = 15 * 24 * 3600, 3600
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


def install(context: Context) -> None:
    """Evaluate alarms on one metric by the clock: their periods are waits that a user configures.

    What an alarm tells a topic, it tells as CloudWatch: the topic's and its key's policy are asked.
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
        _tell(context, cloudwatch, alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._evict_old_metrics = tidier(cloudwatch, clock)


def tidier(cloudwatch: Any, clock: Clock) -> Callable[[], None]:
    """Let points go as AWS does. MiniStack looks at each one with every request, whatever the clock."""
    tidied = time.monotonic()

    def tidy() -> None:
        nonlocal tidied
        if time.monotonic() - tidied < clock.seconds(TIDIED_EVERY):
            return
        tidied = time.monotonic()
        oldest = time.time() - clock.seconds(RETENTION)
        for key, points in list(cloudwatch._metrics.items()):
            cloudwatch._metrics[key] = [one for one in points if one["Timestamp"] >= oldest]
            if not cloudwatch._metrics[key]:
                del cloudwatch._metrics[key]

    return tidy


def _tell(
    context: Context, cloudwatch: Any, alarm: dict[str, Any], before: str, state: str, reason: str
) -> None:
    """Carry out the alarm's actions, except on topics that do not let CloudWatch publish (pitfall G1)."""
    key = ACTIONS[state]
    allowed = []
    for action in alarm.get(key) or []:
        refusal = denial_reason(context, SERVICE, action, alarm.get("AlarmArn", ""))
        if refusal:
            # AWS notes it in the alarm's history and goes on; the warning makes it a fault.
            cloudwatch.logger.warning("CloudWatch alarm → SNS %s refused: %s", action, refusal)
        else:
            allowed.append(action)
    cloudwatch._dispatch_alarm_actions({**alarm, key: allowed}, before, state, reason)


def _datapoints(cloudwatch: Any, alarm: Mapping[str, Any], clock: Clock) -> list[float | None]:
    """Return the statistic of each of the last complete periods, the newest last; None where nothing came."""
    dimensions = alarm.get("Dimensions") or {}
    if not isinstance(dimensions, Mapping):
        dimensions = {item["Name"]: item["Value"] for item in dimensions}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    period = clock.seconds(int(alarm["Period"]))
    current = math.floor(time.time() / period)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    periods: dict[int, list[Any]] = {
        number: [] for number in range(current - int(alarm["EvaluationPeriods"]), current)
    }
    # Once through them all: latencies come by the hundred.
    for point in list(cloudwatch._metrics.get(key, [])):
        within = periods.get(math.floor(point["Timestamp"] / period))
        if within is not None:
            within.append(point)
    values: list[float | None] = []
    for within in periods.values():
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
