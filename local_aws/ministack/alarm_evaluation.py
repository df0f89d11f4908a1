"""The state of an alarm from the points of its metrics, by periods, with missing data as configured.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_aws.ministack import metric_alarms
from local_aws.ministack.compat import require
from local_aws.ministack.metric_math import Series

cloudwatch = require("services.cloudwatch", "_calc_stats", "_is_percentile_stat", "_stat_value")

# The points of one period, as MiniStack stores them.
Points = Sequence[Mapping[str, Any]]
# Takes a metric (Namespace, MetricName, Dimensions) and a period in seconds; returns the points of each of
# the last complete periods, the newest last.
PointsOf = Callable[[Mapping[str, Any], int], Sequence[Points]]


def evaluate(alarm: Mapping[str, Any], points_of: PointsOf) -> str:
    """Return the new state of an alarm on one metric or on metric math."""
    if alarm.get("EvaluateLowSampleCountPercentile") == "ignore" and not alarm.get("Metrics"):
        periods = points_of(alarm, int(alarm["Period"]))
        if has_few_samples(_statistic(alarm), periods):
            return str(alarm["StateValue"])
    return alarm_state(alarm, datapoints(alarm, points_of))


def datapoints(alarm: Mapping[str, Any], points_of: PointsOf) -> Series:
    """Return what the alarm watches: one value for each period, the newest last."""
    if alarm.get("Metrics"):
        return metric_alarms.evaluate(alarm["Metrics"], _stats(alarm, points_of))
    return _series(points_of(alarm, int(alarm["Period"])), _statistic(alarm))


def _statistic(alarm: Mapping[str, Any]) -> str:
    return str(alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average")


def _stats(alarm: Mapping[str, Any], points_of: PointsOf) -> dict[str, Series]:
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if query.get("MetricStat")}
    return {
        id_: _series(points_of(stat["Metric"], int(stat["Period"])), stat["Stat"])
        for id_, stat in stats.items()
    }


def _series(periods: Sequence[Points], statistic: str) -> Series:
    values: Series = []
    for points in periods:
        statistics = cloudwatch._calc_stats(points)
        values.append(cloudwatch._stat_value(statistics, statistic, points) if statistics else None)
    return values


def has_few_samples(statistic: str, periods: Sequence[Points]) -> bool:
    """Return whether a period has data, but too few samples for a percentile to be significant.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    if not cloudwatch._is_percentile_stat(statistic):
        return False
    share = float(statistic[1:]) / 100
    significant = 10 / min(share, 1 - share)
    counts = [cloudwatch._calc_stats(points)["SampleCount"] for points in periods if points]
    # Rounded: 1 - 0.95 is a little more than 0.05.
    return any(count < round(significant, 6) for count in counts)


def alarm_state(alarm: Mapping[str, Any], datapoints: Series) -> str:
    """Return the state of an alarm from one datapoint for each period."""
    missing = alarm.get("TreatMissingData") or "missing"
    if missing == "ignore" and None in datapoints:
        return str(alarm["StateValue"])
    if missing == "missing" and all(value is None for value in datapoints):
        return "INSUFFICIENT_DATA"
    breaching = _breaching_count(alarm, datapoints, missing)
    needed = int(alarm.get("DatapointsToAlarm") or len(datapoints))
    return "ALARM" if breaching >= needed else "OK"


def _breaching_count(alarm: Mapping[str, Any], datapoints: Series, missing: str) -> int:
    breaches = metric_alarms.COMPARISONS[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    return sum(
        missing == "breaching" if value is None else breaches(value, threshold) for value in datapoints
    )
