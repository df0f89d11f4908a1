"""Container Insights: a cluster that has them writes to a log group, which it creates if it is missing."""

from __future__ import annotations

import json
from typing import Any

from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.containers.fakes import until


def service(cloud: Cloud, name: str, insights: str) -> None:
    ecs = cloud.client("ecs")
    setting = {"name": "containerInsights", "value": insights}
    ecs.create_cluster(clusterName=f"cluster-{name}", settings=[setting])
    ecs.register_task_definition(
        family=f"task-{name}",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "app:1", "essential": True}],
    )
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]
    ecs.create_service(
        cluster=f"cluster-{name}",
        serviceName=f"service-{name}",
        taskDefinition=f"task-{name}",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]]}},
    )


def group(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    prefix = f"/aws/ecs/containerinsights/cluster-{name}/performance"
    found: list[dict[str, Any]] = cloud.client("logs").describe_log_groups(logGroupNamePrefix=prefix)[
        "logGroups"
    ]
    return found


def test_a_missing_group_is_created_without_a_retention(cloud: Cloud) -> None:
    """So a template that only enables Container Insights leaves the group behind (pitfall H3)."""
    service(cloud, "dev", "enabled")
    until(lambda: bool(group(cloud, "dev")))
    (found,) = group(cloud, "dev")
    assert "retentionInDays" not in found


def test_a_record_has_the_counts_of_the_service(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    name = "/aws/ecs/containerinsights/cluster-kept/performance"
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    service(cloud, "kept", "enhanced")
    until(lambda: bool(logs.filter_log_events(logGroupName=name)["events"]))
    record = json.loads(logs.filter_log_events(logGroupName=name)["events"][0]["message"])
    assert (record["Type"], record["ServiceName"], record["DesiredTaskCount"]) == (
        "Service",
        "service-kept",
        0,
    )
    assert group(cloud, "kept")[0]["retentionInDays"] == 30


def test_a_cluster_without_container_insights_writes_nothing(cloud: Cloud) -> None:
    service(cloud, "quiet", "disabled")
    # Its scheduler has looked at it once it is followed by one that writes.
    service(cloud, "loud", "enabled")
    until(lambda: bool(group(cloud, "loud")))
    assert group(cloud, "quiet") == []
