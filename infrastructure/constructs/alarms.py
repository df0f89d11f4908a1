"""What an ill version looks like: the alarms that bring the old one back and tell the topic.

An alarm that is on already stops the next deployment too (pitfall N4), also the one with the cure: see
docs/architecture.md.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infrastructure.naming import Names

# Enough to be no accident, few enough to end the shortest canary (5 minutes) long before it is over.
ERRORS_A_MINUTE = 5
UNHEALTHY_MINUTES = 2
SLOW_SECONDS = 2
SLOW_MINUTES = 3
EVERY_MINUTE = Duration.minutes(1)


def target_group_alarms(
    scope: Construct, names: Names, colour: str, group: elbv2.ApplicationTargetGroup
) -> list[cloudwatch.Alarm]:
    """Watch one target group; both are, since each release moves the traffic to the other (pitfall N4)."""
    errors = group.metrics.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=EVERY_MINUTE)
    unhealthy = group.metrics.unhealthy_host_count(period=EVERY_MINUTE, statistic="Maximum")
    latency = group.metrics.target_response_time(period=EVERY_MINUTE, statistic="p95")
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
    """Watch what no target answered: 502, 503 and 504 are the load balancer's own, and count for no group."""
    errors = balancer.metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=EVERY_MINUTE)
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
        # A group without traffic sends no data, and is not ill.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
