"""The alarms that roll a deployment back and notify the topic.

An alarm that is in ALARM also stops the next deployment, even one with the fix (pitfall N4): see
docs/operations.md.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infrastructure.naming import Names

# More than an accident, and soon enough to stop the shortest canary, of 5 minutes.
ERRORS_A_MINUTE = 5
UNHEALTHY_MINUTES = 2
SLOW_SECONDS = 2
SLOW_MINUTES = 3
METRIC_PERIOD = Duration.minutes(1)


def target_group_alarms(
    scope: Construct, names: Names, colour: str, group: elbv2.ApplicationTargetGroup
) -> list[cloudwatch.Alarm]:
    """Create the alarms of one target group; each release moves the traffic to the other (pitfall N4)."""
    errors = group.metrics.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=METRIC_PERIOD)
    unhealthy = group.metrics.unhealthy_host_count(period=METRIC_PERIOD, statistic="Maximum")
    latency = group.metrics.target_response_time(period=METRIC_PERIOD, statistic="p95")
    return [
        _alarm(
            scope,
            f"{colour.title()}Errors",
            errors,
            name=names.qualified(f"errors-{colour}"),
            description=f"The {colour} tasks answered 5xx at least {ERRORS_A_MINUTE} times in a minute",
            threshold=ERRORS_A_MINUTE,
            minutes=1,
        ),
        _alarm(
            scope,
            f"{colour.title()}Unhealthy",
            unhealthy,
            name=names.qualified(f"unhealthy-{colour}"),
            description=f"A {colour} task failed its health checks for {UNHEALTHY_MINUTES} minutes",
            threshold=1,
            minutes=UNHEALTHY_MINUTES,
        ),
        _alarm(
            scope,
            f"{colour.title()}Latency",
            latency,
            name=names.qualified(f"latency-{colour}"),
            description=f"One in twenty requests to {colour} took {SLOW_SECONDS} s or more, "
            f"for {SLOW_MINUTES} minutes",
            threshold=SLOW_SECONDS,
            minutes=SLOW_MINUTES,
        ),
    ]


def load_balancer_alarm(
    scope: Construct, names: Names, balancer: elbv2.IApplicationLoadBalancer
) -> cloudwatch.Alarm:
    """Create the alarm on 502, 503 and 504: the load balancer's own errors, which no group counts."""
    errors = balancer.metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=METRIC_PERIOD)
    return _alarm(
        scope,
        "LoadBalancerErrors",
        errors,
        name=names.qualified("load-balancer-errors"),
        description=f"At least {ERRORS_A_MINUTE} requests in a minute found no task that answered",
        threshold=ERRORS_A_MINUTE,
        minutes=1,
    )


def _alarm(
    scope: Construct,
    id_: str,
    metric: cloudwatch.Metric,
    *,
    name: str,
    description: str,
    threshold: int,
    minutes: int,
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        id_,
        metric=metric,
        alarm_name=name,
        alarm_description=description,
        threshold=threshold,
        evaluation_periods=minutes,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        # A target group without traffic sends no data.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
