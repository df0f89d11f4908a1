"""The alarms: those that roll a deployment back, and those that only notify the topic.

An alarm that is in ALARM also stops the next deployment, even one with the fix (pitfall N4): see
docs/operations.md. An alarm of the deployment group must therefore be one that a stranger cannot trip
(pitfall N9), and one that a deployment could have caused (pitfall N10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes
from infrastructure.constructs.error_rates import (
    METRIC_PERIOD,
    load_balancer_error_percentage,
    target_error_percentage,
)
from infrastructure.naming import Names

# A share that no healthy service has, and more errors than an accident in a quiet minute.
ERROR_PERCENT = 1
LEAST_ERRORS = 5
UNHEALTHY_MINUTES = 2
SLOW_SECONDS = 2
SLOW_MINUTES = 3
# FILL makes a minute 0 whose data is late. So one bad minute of the last three raises an alarm on errors,
# and only five in a row the one on missing tasks; users that miss them raise the one on 503 before.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
LATE_MINUTES = 3
NO_TASK_MINUTES = 5
# Lambda repeats an invocation twice, and the schedule after five minutes.
SUSPENDER_MINUTES = 10
# A run takes minutes, and Lambda repeats it twice.
DRIFT_CHECK_MINUTES = 60
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
MOST_METRICS = 10


@dataclass(frozen=True)
class Condition:
    """When an alarm is in ALARM: `datapoints` of the last `minutes` breach (all of them by default)."""

    metric: cloudwatch.IMetric
    threshold: float
    minutes: int
    datapoints: int | None = None
    below: bool = False
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    # "ignore": a percentile of a few requests is one request (pitfall N9).
    few_samples: str | None = None


def target_group_alarms(
    scope: Construct, names: Names, colour: str, group: elbv2.ApplicationTargetGroup
) -> list[cloudwatch.Alarm]:
    """Create the alarms of one target group; each release moves the traffic to the other (pitfall N4)."""
    errors = target_error_percentage(colour, group, minimum=LEAST_ERRORS)
    unhealthy = group.metrics.unhealthy_host_count(period=METRIC_PERIOD, statistic="Maximum")
    latency = group.metrics.target_response_time(period=METRIC_PERIOD, statistic="p95")
    return [
        _alarm(
            scope,
            f"{colour.title()}Errors",
            names.qualified(f"errors-{colour}"),
            f"The {colour} tasks answered {ERROR_PERCENT} % of a minute's requests with 5xx, "
            f"and at least {LEAST_ERRORS}",
            Condition(errors, ERROR_PERCENT, LATE_MINUTES, datapoints=1),
        ),
        _alarm(
            scope,
            f"{colour.title()}Unhealthy",
            names.qualified(f"unhealthy-{colour}"),
            f"A {colour} task failed its health checks for {UNHEALTHY_MINUTES} minutes",
            Condition(unhealthy, 1, UNHEALTHY_MINUTES),
        ),
        _alarm(
            scope,
            f"{colour.title()}Latency",
            names.qualified(f"latency-{colour}"),
            f"One in twenty requests to {colour} took {SLOW_SECONDS} s or more, for {SLOW_MINUTES} minutes",
            Condition(latency, SLOW_SECONDS, SLOW_MINUTES, few_samples="ignore"),
        ),
    ]


def load_balancer_alarm(
    scope: Construct, names: Names, balancer: elbv2.IApplicationLoadBalancer
) -> cloudwatch.Alarm:
    """Create the alarm on 502, 503 and 504: the load balancer's own errors, which no group counts."""
    errors = load_balancer_error_percentage(balancer, minimum=LEAST_ERRORS)
    return _alarm(
        scope,
        "LoadBalancerErrors",
        names.qualified("load-balancer-errors"),
        f"{ERROR_PERCENT} % of a minute's requests, and at least {LEAST_ERRORS}, found no task that answered",
        Condition(errors, ERROR_PERCENT, LATE_MINUTES, datapoints=1),
    )


def notifying_alarms(scope: Construct, config: Config, routes: BlueGreenRoutes) -> list[cloudwatch.Alarm]:
    """Create the alarms that are not in the deployment group, which they would block (pitfall N10)."""
    rules = [each for each in scope.node.root.node.find_all() if isinstance(each, events.CfnRule)]
    return [
        no_healthy_task_alarm(scope, config.names, routes),
        drift_check_alarm(scope, config.names),
        *([scaling_suspender_alarm(scope, config.names)] if config.service.scaling else []),
        *failed_invocation_alarms(scope, config.names, rules),
    ]


def no_healthy_task_alarm(scope: Construct, names: Names, routes: BlueGreenRoutes) -> cloudwatch.Alarm:
    """Create the alarm on a service without a healthy task; it notifies only (pitfall N10).

    UnHealthyHostCount is no help: a group without targets has none. It is not for the deployment group,
    because it would block the deployment that brings tasks back.
    """
    healthy = cloudwatch.MathExpression(
        expression="SUM([FILL(blue, 0), FILL(green, 0)])",
        label="healthy tasks",
        using_metrics={
            colour: group.metrics.healthy_host_count(period=METRIC_PERIOD, statistic="Maximum")
            for colour, group in routes.target_groups.items()
        },
        period=METRIC_PERIOD,
    )
    return _alarm(
        scope,
        "NoHealthyTask",
        names.qualified("no-healthy-task"),
        f"Neither blue nor green had a healthy task for {NO_TASK_MINUTES} minutes",
        Condition(healthy, 1, NO_TASK_MINUTES, below=True, missing=cloudwatch.TreatMissingData.BREACHING),
    )


def scaling_suspender_alarm(scope: Construct, names: Names) -> cloudwatch.Alarm:
    """Create the alarm on a function that cannot suspend or resume the scaling; it notifies only."""
    return _alarm(
        scope,
        "ScalingSuspenderErrors",
        names.qualified("scaling-suspender-errors"),
        "The scaling of the service could not be suspended for a deployment, or resumed after one",
        Condition(_function_errors(names.scaling_suspender), 1, SUSPENDER_MINUTES, datapoints=2),
    )


def drift_check_alarm(scope: Construct, names: Names) -> cloudwatch.Alarm:
    """Create the alarm on a drift check that cannot look or tell; it notifies only."""
    return _alarm(
        scope,
        "DriftCheckErrors",
        names.qualified("drift-check-errors"),
        "The drift check could not look at everything, or not tell what it found",
        Condition(_function_errors(names.drift_check), 1, DRIFT_CHECK_MINUTES, datapoints=2),
    )


def _function_errors(function: str) -> cloudwatch.Metric:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions_map={"FunctionName": function},
        statistic="Sum",
        period=METRIC_PERIOD,
    )


def failed_invocation_alarms(
    scope: Construct, names: Names, rules: Sequence[events.CfnRule]
) -> list[cloudwatch.Alarm]:
    """Create the alarms on events that a rule could not deliver, which only a metric shows (pitfall G5).

    One alarm takes ten rules. They notify only: they say nothing of a release.
    """
    parts = [rules[start : start + MOST_METRICS] for start in range(0, len(rules), MOST_METRICS)]
    return [
        _alarm(
            scope,
            f"FailedInvocations{number}",
            names.qualified(f"failed-invocations-{number}"),
            "EventBridge could not deliver an event to the target of a rule: a start of the pipeline, "
            "a notification or a line of the event log is lost",
            Condition(_failed_invocations(part), 1, 1),
        )
        for number, part in enumerate(parts, start=1)
    ]


def _failed_invocations(rules: Sequence[events.CfnRule]) -> cloudwatch.MathExpression:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html."""
    return cloudwatch.MathExpression(
        expression="SUM(METRICS())",
        label="failed invocations",
        using_metrics={
            f"rule{number}": cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": rule.ref},
                statistic="Sum",
                period=METRIC_PERIOD,
            )
            for number, rule in enumerate(rules)
        },
        period=METRIC_PERIOD,
    )


def _alarm(scope: Construct, id_: str, name: str, description: str, condition: Condition) -> cloudwatch.Alarm:
    operator = cloudwatch.ComparisonOperator
    return cloudwatch.Alarm(
        scope,
        id_,
        metric=condition.metric,
        alarm_name=name,
        alarm_description=description,
        threshold=condition.threshold,
        evaluation_periods=condition.minutes,
        datapoints_to_alarm=condition.datapoints,
        comparison_operator=(
            operator.LESS_THAN_THRESHOLD if condition.below else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        # A target group without traffic sends no data.
        treat_missing_data=condition.missing,
        evaluate_low_sample_count_percentile=condition.few_samples,
    )
