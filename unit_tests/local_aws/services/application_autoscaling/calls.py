"""The calls that the tests of Application Auto Scaling share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from unit_tests.local_aws.cloudformation_cloud import Cloud

SECONDS = 20.0
TRACKING = {"PolicyType": "TargetTrackingScaling"}


def key(name: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/cluster-{name}/service-{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def service(cloud: Cloud, name: str, count: int = 1) -> None:
    """Create a service; its image does not exist, so no task of it ever runs."""
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName=f"cluster-{name}")
    ecs.register_task_definition(
        family=f"task-{name}",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "public.ecr.aws/nobody/nothing:1"}],
    )
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_service(
        cluster=f"cluster-{name}",
        serviceName=f"service-{name}",
        taskDefinition=f"task-{name}",
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )


def register(cloud: Cloud, name: str, **given: Any) -> Any:
    return cloud.client("application-autoscaling").register_scalable_target(**key(name), **given)


def put_policy(cloud: Cloud, name: str, target: float = 10.0, **given: Any) -> dict[str, Any]:
    """Let a metric of the test's own scale the service, without cooldowns unless they are given."""
    metric = {
        "Id": "load",
        "MetricStat": {"Metric": {"Namespace": "Test", "MetricName": name}, "Stat": "Average"},
        "ReturnData": False,
    }
    expression = {"Id": "filled", "Expression": "FILL(load, 0)", "ReturnData": True}
    configuration = {
        "TargetValue": target,
        "CustomizedMetricSpecification": {"Metrics": [metric, expression]},
        "ScaleOutCooldown": 0,
        "ScaleInCooldown": 0,
        **given,
    }
    answer: dict[str, Any] = cloud.client("application-autoscaling").put_scaling_policy(
        **key(name),
        **TRACKING,
        PolicyName=f"policy-{name}",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    return answer


def desired(cloud: Cloud, name: str) -> int:
    ecs = cloud.client("ecs")
    (found,) = ecs.describe_services(cluster=f"cluster-{name}", services=[f"service-{name}"])["services"]
    return int(found["desiredCount"])


def alarms(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    prefix = f"TargetTracking-service/cluster-{name}/"
    found: list[dict[str, Any]] = cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)[
        "MetricAlarms"
    ]
    return found


def load(cloud: Cloud, name: str, value: float, until: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Publish a load until something is true; return whether it became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        datum = {"MetricName": name, "Value": value}
        cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])
        if until():
            return True
        time.sleep(0.2)
    return False
