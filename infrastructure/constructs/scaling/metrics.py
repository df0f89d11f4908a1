"""What the scaling policy tracks: the CPU of the service, or the requests of its tasks.

AWS does not support ALBRequestCountPerTarget for blue/green deployments: it names one target group, and each
deployment moves the traffic to the other.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
So the policy adds the two groups by metric math, of which one has requests and the other has none.
"""

from __future__ import annotations

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from infrastructure.config.scaling import Scaling
from infrastructure.constructs.blue_green_routes import BlueGreenRoutes

_Policy = scaling.CfnScalingPolicy
CPU = "ECSServiceAverageCPUUtilization"


def target_tracking(
    settings: Scaling, routes: BlueGreenRoutes
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    """Return the configuration of the policy, with AWS's cooldowns of five minutes."""
    if settings.cpu_percent is not None:
        return _Policy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=settings.cpu_percent,
            predefined_metric_specification=_Policy.PredefinedMetricSpecificationProperty(
                predefined_metric_type=CPU
            ),
        )
    return _Policy.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=settings.requests_per_target or 0,
        customized_metric_specification=_Policy.CustomizedMetricSpecificationProperty(
            metrics=_requests_of_both(routes)
        ),
    )


def _requests_of_both(
    routes: BlueGreenRoutes,
) -> list[scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty]:
    """Add up the requests per target of both groups; 0 in a minute without any.

    The load balancer sends no RequestCountPerTarget without requests, and missing data never scales in. FILL
    would also fill a minute whose data is late, so that three in a row would never be above the target:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    HealthyHostCount arrives with the requests, and without them.
    """
    groups = routes.target_groups
    return [
        *(
            _statistic(f"{colour}Requests", routes, group, "RequestCountPerTarget", "Sum")
            for colour, group in groups.items()
        ),
        *(
            _statistic(f"{colour}Tasks", routes, group, "HealthyHostCount", "Maximum")
            for colour, group in groups.items()
        ),
        _expression("none", "0 * SUM([blueTasks, greenTasks])", returned=False),
        _expression("requests", "SUM([blueRequests, greenRequests, none])", returned=True),
    ]


def _expression(
    id_: str, expression: str, *, returned: bool
) -> scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    return _Policy.TargetTrackingMetricDataQueryProperty(id=id_, expression=expression, return_data=returned)


def _statistic(
    id_: str, routes: BlueGreenRoutes, group: elbv2.ApplicationTargetGroup, metric: str, statistic: str
) -> scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    dimensions = {
        "LoadBalancer": group.first_load_balancer_full_name,
        "TargetGroup": group.target_group_full_name,
    }
    return _Policy.TargetTrackingMetricDataQueryProperty(
        id=id_,
        return_data=False,
        metric_stat=_Policy.TargetTrackingMetricStatProperty(
            stat=statistic,
            metric=_Policy.TargetTrackingMetricProperty(
                namespace="AWS/ApplicationELB",
                metric_name=metric,
                dimensions=[
                    _Policy.TargetTrackingMetricDimensionProperty(name=name, value=value)
                    for name, value in dimensions.items()
                ],
            ),
        ),
    )
