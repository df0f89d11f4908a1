"""The share of requests that failed, in percent, as metric math for alarms and for the dashboard.

A count would be wrong: five errors a minute are 0.05 % of a busy service. HTTPCode_ELB_5XX_Count would be
wrong too: it includes 501, 505 and 561, the answers to malformed requests of anybody (pitfall N9).
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html

CloudWatch has no data where nothing was counted. FILL makes it 0, and SUM leaves out what is still missing:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

METRIC_PERIOD = Duration.minutes(1)
# No task, or none that answered in time or at all.
UNAVAILABLE = {
    "e502": elbv2.HttpCodeElb.ELB_502_COUNT,
    "e503": elbv2.HttpCodeElb.ELB_503_COUNT,
    "e504": elbv2.HttpCodeElb.ELB_504_COUNT,
}


def target_error_percentage(
    colour: str, group: elbv2.ApplicationTargetGroup, *, minimum: int = 1
) -> cloudwatch.MathExpression:
    """Return the share of a target group's requests that its tasks answered with 5xx.

    It is 0 in a minute with fewer than `minimum` errors.
    """
    errors, requests = f"{colour}Errors", f"{colour}Requests"
    return _expression(
        f"IF(FILL({errors}, 0) >= {minimum}, 100 * FILL({errors}, 0) / FILL({requests}, 0), 0)",
        f"{colour}: 5xx of tasks",
        {
            errors: group.metrics.http_code_target(
                elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=METRIC_PERIOD
            ),
            requests: group.metrics.request_count(period=METRIC_PERIOD),
        },
    )


def load_balancer_error_percentage(
    balancer: elbv2.IApplicationLoadBalancer, *, minimum: int = 1
) -> cloudwatch.MathExpression:
    """Return the share of requests that the load balancer answered with 502, 503 or 504.

    It is 0 in a minute with fewer than `minimum` errors. RequestCount has only requests for which a target
    was chosen, so none with 503: the errors are added to it. It counts 502 and 504 twice, so that the result
    is at most a little too low.
    """
    metrics = {
        id_: balancer.metrics.http_code_elb(code, period=METRIC_PERIOD) for id_, code in UNAVAILABLE.items()
    }
    filled = ", ".join(f"FILL({id_}, 0)" for id_ in metrics)
    return _expression(
        f"IF(unavailable >= {minimum}, 100 * unavailable / SUM([unavailable, FILL(requests, 0)]), 0)",
        "load balancer: 502, 503, 504",
        {
            "unavailable": _expression(f"SUM([{filled}])", "502, 503 and 504", metrics),
            "requests": balancer.metrics.request_count(period=METRIC_PERIOD),
        },
    )


def _expression(
    expression: str, label: str, metrics: Mapping[str, cloudwatch.IMetric]
) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression, label=label, using_metrics=metrics, period=METRIC_PERIOD
    )
