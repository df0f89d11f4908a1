"""Evaluates CloudWatch alarms as AWS does: every minute, by dimensions and periods.

MiniStack evaluates all points of a metric's name as one period, whatever their dimensions, and only when
somebody publishes data: an alarm on missing data would never change its state.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.ministack import alarm_evaluation
from local_aws.ministack.compat import require
from local_aws.ministack.metric_math import Series
from local_aws.ministack.notifications import denial_reason

NAMES = (
    "_alarms",
    "_dims_key",
    "_dispatch_alarm_actions",
    "_evaluate_alarm",
    "_evaluate_all_alarms",
    "_evaluate_parent_alarms",
    "_evict_old_metrics",
    "_metrics",
    "_record_history",
    "logger",
)
SERVICE = "cloudwatch.amazonaws.com"
# CloudWatch keeps points of one-minute periods for 15 days; expired points are removed every hour.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
RETENTION, EVICTION_INTERVAL = 15 * 24 * 3600, 3600
DAY, MINUTE = 24 * 3600, 60
ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
# AWS evaluates a standard alarm once a minute.
EVALUATION_INTERVAL = 60
# (policy ARN, name of the alarm, newest value of its metric): lets a scaling policy act.
Scale = Callable[[str, str, float], None]


def patch_alarm_evaluation(context: Context, scale: Scale) -> None:
    """Evaluate alarms on one metric or on metric math, with their periods scaled by the clock.

    CloudWatch publishes to topics: the policies of the topic and of its key must allow the service.
    """
    clock = context.clock
    cloudwatch = require("services.cloudwatch", *NAMES)
    evaluating = threading.RLock()

    def evaluate(alarm: dict[str, Any]) -> None:
        if not alarm.get("MetricName") and not alarm.get("Metrics"):
            return
        with evaluating:
            _evaluate(context, cloudwatch, alarm, scale)

    cloudwatch._evaluate_alarm = evaluate
    # Composite alarms and SetAlarmState dispatch, too.
    dispatch = partial(_dispatch_actions, context, cloudwatch, cloudwatch._dispatch_alarm_actions)
    cloudwatch._dispatch_alarm_actions = dispatch
    # PutMetricData evaluates no alarm on AWS, and here it would evaluate each of them several times a second.
    cloudwatch._evaluate_all_alarms = lambda: None
    cloudwatch._evict_old_metrics = make_eviction(cloudwatch, clock)
    context.spawn("cloudwatch-alarms", _evaluate_forever, cloudwatch, clock)


def _evaluate_forever(cloudwatch: Any, clock: Clock) -> None:
    responses = require("core.responses", "request_scope")
    while not clock.wait(EVALUATION_INTERVAL):
        for account, region in {key[:2] for key in list(cloudwatch._alarms._data)}:
            with responses.request_scope(account, region):
                for alarm in list(cloudwatch._alarms.values()):
                    cloudwatch._evaluate_alarm(alarm)


def _evaluate(context: Context, cloudwatch: Any, alarm: dict[str, Any], scale: Scale) -> None:
    def points_of(metric: Mapping[str, Any], period: int) -> list[list[Any]]:
        count = int(alarm["EvaluationPeriods"])
        return _points_by_period(cloudwatch, metric, context.clock.seconds(period), count)

    state, before = alarm_evaluation.evaluate(alarm, points_of), alarm["StateValue"]
    policies = [action for action in alarm.get(ACTIONS["ALARM"]) or [] if _is_scaling_policy(action)]
    if state == "ALARM" and policies and alarm.get("ActionsEnabled", True):
        _scale(policies, alarm["AlarmName"], alarm_evaluation.datapoints(alarm, points_of), scale)
    if state == before:
        return
    reason = f"Threshold Crossed: the last {alarm['EvaluationPeriods']} periods make it {state}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _scale(policies: Sequence[str], alarm_name: str, datapoints: Series, scale: Scale) -> None:
    """Let the scaling policies of an alarm act: in each minute that it is in ALARM, not only in the first.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    """
    present = [value for value in datapoints if value is not None]
    for policy in policies if present else ():
        scale(policy, alarm_name, present[-1])


def _is_scaling_policy(action: str) -> bool:
    return action.split(":")[2:3] == ["autoscaling"]


def make_eviction(cloudwatch: Any, clock: Clock) -> Callable[[], None]:
    """Return a function that removes expired points; MiniStack's own checks every point at each request."""
    last_eviction = time.monotonic()

    def evict() -> None:
        nonlocal last_eviction
        if time.monotonic() - last_eviction < clock.seconds(EVICTION_INTERVAL):
            return
        last_eviction = time.monotonic()
        oldest, merged = time.time() - clock.seconds(RETENTION), time.time() - clock.seconds(DAY)
        for key, points in list(cloudwatch._metrics.items()):
            kept = [point for point in points if point["Timestamp"] >= oldest]
            cloudwatch._metrics[key] = merge(kept, merged)
            if not kept:
                del cloudwatch._metrics[key]

    return evict


def merge(points: Sequence[dict[str, Any]], before: float) -> list[dict[str, Any]]:
    """Merge the points before a time that have the same value in the same minute: each is counted.

    On AWS, points are kept by the minute once they are three hours old. No alarm with a shorter period looks
    back more than a day. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    """
    found: list[dict[str, Any]] = []
    places: dict[tuple[float, float, str | None], int] = {}
    for point in points:
        if point["Timestamp"] >= before or "_stat" in point:
            found.append(point)
            continue
        place = places.setdefault(
            (point["Timestamp"] // MINUTE, point["Value"], point.get("Unit")), len(found)
        )
        if place == len(found):
            found.append(point)
        else:
            # A copy: another thread may read the points.
            counts = (each.get("Count", 1.0) for each in (found[place], point))
            found[place] = {**found[place], "Count": sum(counts)}
    return found


def _dispatch_actions(
    context: Context,
    cloudwatch: Any,
    dispatch: Callable[..., None],
    alarm: dict[str, Any],
    before: str,
    state: str,
    reason: str,
) -> None:
    """Run the alarm's actions, except for topics that do not allow CloudWatch to publish (pitfall G1)."""
    key = ACTIONS[state]
    allowed = []
    for action in alarm.get(key) or []:
        if _is_scaling_policy(action):
            continue
        reason_denied = denial_reason(context, SERVICE, action, alarm.get("AlarmArn", ""))
        if reason_denied:
            # AWS records it in the alarm's history and continues; the warning is a background error.
            cloudwatch.logger.warning("CloudWatch alarm → SNS %s refused: %s", action, reason_denied)
        else:
            allowed.append(action)
    dispatch({**alarm, key: allowed}, before, state, reason)


def _points_by_period(
    cloudwatch: Any, metric: Mapping[str, Any], seconds: float, count: int
) -> list[list[Any]]:
    current = math.floor(time.time() / seconds)
    periods: dict[int, list[Any]] = {number: [] for number in range(current - count, current)}
    # One pass over the points, however many periods: a metric of latencies has hundreds.
    for point in list(cloudwatch._metrics.get(_metric_key(cloudwatch, metric), [])):
        number = math.floor(point["Timestamp"] / seconds)
        if number in periods:
            periods[number].append(point)
    return list(periods.values())


def _metric_key(cloudwatch: Any, metric: Mapping[str, Any]) -> tuple[Any, ...]:
    dimensions = metric.get("Dimensions") or {}
    if not isinstance(dimensions, Mapping):
        dimensions = {item["Name"]: item["Value"] for item in dimensions}
    return (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
