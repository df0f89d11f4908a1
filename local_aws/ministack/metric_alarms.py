"""Adds to PutMetricAlarm what MiniStack lacks: metric math, percentiles of few samples, and AWS's refusals.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.ministack import metric_math
from local_aws.ministack.compat import require
from local_aws.ministack.metric_math import MetricMathError, Series

responses = require("core.responses", "get_region")
cloudwatch = require("services.cloudwatch", "_alarms", "_error", "_put_metric_alarm")

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
# The periods below a minute.
HIGH_RESOLUTION = (10, 20, 30)
# A metric math alarm has these in its Metrics instead.
OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
MOST_METRICS = 10
STATISTICS = ("Statistic", "ExtendedStatistic")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
EXTENDED = re.compile(
    r"p(\d{1,2}(\.\d{1,10})?|100)|(tm|tc|ts|wm)\d{1,2}(\.\d+)?|iqm"
    r"|(TM|TC|TS|WM)\([\d.]*%?:[\d.]*%?\)|PR\([\d.]*:[\d.]*\)|IQM"
)
MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
HOUR, DAY, WEEK = 3600, 86400, 604800
UNSUPPORTED = ("ThresholdMetricId", "EvaluationCriteria", "EvaluationInterval")
Queries = Sequence[Mapping[str, Any]]


def patch_put_metric_alarm() -> None:
    """Let PutMetricAlarm refuse what AWS refuses, and store the properties that MiniStack drops."""
    put = cloudwatch._put_metric_alarm

    def checked(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not is_cbor and not is_json:
            unread = "Metrics.member.1.Id", "EvaluateLowSampleCountPercentile"
            reason = next((f"local_aws reads {one} of CBOR only" for one in unread if one in params), None)
        else:
            reason = denial_reason(data)
        if reason:
            return cloudwatch._error("ValidationError", reason, 400, use_json=is_json, use_cbor=is_cbor)
        response = put(params, data, is_cbor, is_json)
        if response[0] == 200:
            _complete(data)
        return response

    cloudwatch._put_metric_alarm = checked


def _complete(data: Mapping[str, Any]) -> None:
    """Store the rest, evaluated from the next minute on."""
    alarm = cloudwatch._alarms[data["AlarmName"]]
    if "EvaluateLowSampleCountPercentile" in data:
        alarm["EvaluateLowSampleCountPercentile"] = data["EvaluateLowSampleCountPercentile"]
    if data.get("Metrics"):
        alarm["Metrics"] = [{"ReturnData": True, **query} for query in data["Metrics"]]
        for key in OF_ONE_METRIC:
            alarm.pop(key, None)


def denial_reason(alarm: Mapping[str, Any]) -> str | None:
    """Return AWS's message for an alarm that PutMetricAlarm refuses, or None."""
    return (
        _settings_error(alarm)
        or _period_error(alarm)
        or _metrics_error(alarm)
        or _statistic_error(alarm)
        or _actions_error(alarm)
    )


def _period_error(alarm: Mapping[str, Any]) -> str | None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    period = int(alarm.get("Period") or 60)
    if period not in HIGH_RESOLUTION and (period <= 0 or period % 60 != 0):
        return f"Invalid period {period}: it must be 10, 20, 30 or a multiple of 60."
    longest = DAY if period < HOUR else WEEK
    if period * int(alarm.get("EvaluationPeriods") or 1) > longest:
        return (
            f"EvaluationPeriods * Period must be <= {longest}: {DAY} with periods below an hour, else {WEEK}."
        )
    return None


def _statistic_error(alarm: Mapping[str, Any]) -> str | None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    given = [name for name in STATISTICS if alarm.get(name)]
    if alarm.get("MetricName") and len(given) != 1:
        return "Specify either Statistic or ExtendedStatistic, but not both."
    extended = alarm.get("ExtendedStatistic")
    if extended and EXTENDED.fullmatch(extended) is None:
        return f"The value {extended} for parameter ExtendedStatistic is not supported."
    missing = alarm.get("TreatMissingData") or MISSING_DATA[0]
    if missing not in MISSING_DATA:
        return f"Option {missing} for TreatMissingData is not supported: {', '.join(MISSING_DATA)}"
    return None


def _actions_error(alarm: Mapping[str, Any]) -> str | None:
    """Check the form of ARNs, and the region: https://github.com/cds-snc/notification-terraform/pull/128."""
    for arn in (arn for name in ACTIONS for arn in alarm.get(name) or []):
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn":
            return f"Invalid arn syntax: {arn}"
        if parts[2] == "sns" and parts[3] != responses.get_region():
            return f"Invalid region {parts[3]} specified. Only {responses.get_region()} is supported."
    return None


def _settings_error(alarm: Mapping[str, Any]) -> str | None:
    unsupported = next((key for key in UNSUPPORTED if alarm.get(key)), None)
    if unsupported:
        return f"local_aws does not support {unsupported} of alarms"
    if alarm.get("ComparisonOperator") not in COMPARISONS:
        return f"local_aws does not support ComparisonOperator {alarm.get('ComparisonOperator')}"
    if int(alarm.get("DatapointsToAlarm") or 1) > int(alarm.get("EvaluationPeriods") or 1):
        # https://github.com/hashicorp/terraform/issues/24070
        return "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
    return None


def _metrics_error(alarm: Mapping[str, Any]) -> str | None:
    queries = alarm.get("Metrics")
    if not queries:
        return None if alarm.get("MetricName") else "MetricName must not be null"
    both = next((key for key in OF_ONE_METRIC if alarm.get(key)), None)
    if both:
        # https://github.com/aws-cloudformation/cfn-lint/issues/766
        return f"{both} should not be set if list of Metrics is set."
    return _queries_error(queries) or _expressions_error(queries)


def _queries_error(queries: Queries) -> str | None:
    stats, expressions = _with(queries, "MetricStat"), _with(queries, "Expression")
    if len(stats) > MOST_METRICS or len(expressions) > MOST_METRICS:
        return f"An alarm takes up to {MOST_METRICS} metrics and {MOST_METRICS} expressions."
    if sum(bool(query.get("ReturnData", True)) for query in queries) != 1:
        # https://github.com/hashicorp/terraform-provider-aws/issues/29894
        return "Exactly one element of the metrics list should return data."
    if not len({query["Id"] for query in queries}) == len(queries) == len(stats) + len(expressions):
        return "Each element of the metrics list needs an Id of its own, and a MetricStat or an Expression."
    if len({query["MetricStat"]["Period"] for query in stats}) != 1:
        return "local_aws evaluates alarms whose metrics have one Period only."
    return None


def _with(queries: Queries, key: str) -> Queries:
    return [query for query in queries if query.get(key)]


def _expressions_error(queries: Queries) -> str | None:
    """Evaluate once without data: it finds unknown ids and functions, and a result that is no time series."""
    try:
        evaluate(queries, {query["Id"]: [None] for query in _with(queries, "MetricStat")})
    except MetricMathError as error:
        return f"Invalid metrics list: {error}"
    return None


def evaluate(queries: Queries, stats: Mapping[str, Series]) -> Series:
    """Return the time series that an alarm watches; `stats` has those of each MetricStat by id.

    Raises `MetricMathError`.
    """
    known, waiting = dict(stats), _with(queries, "Expression")
    while waiting:
        ready = [each for each in waiting if metric_math.identifiers(each["Expression"]) <= known.keys()]
        if not ready:
            raise MetricMathError(f"{waiting[0]['Expression']!r} refers to an id that does not exist")
        known |= {each["Id"]: _series(each["Expression"], known, stats) for each in ready}
        waiting = [each for each in waiting if each["Id"] not in known]
    return known[next(query["Id"] for query in queries if query.get("ReturnData", True))]


def _series(expression: str, known: Mapping[str, Series], stats: Mapping[str, Series]) -> Series:
    value = metric_math.evaluate(expression, known, list(stats))
    if not isinstance(value, list):
        raise MetricMathError(f"{expression!r} does not return a single time series")
    return value
