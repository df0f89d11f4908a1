"""Where an environment's traffic goes, which a deployment without changes must not change."""

from dataclasses import dataclass
from typing import Any

from harness.cloud import Cloud
from infrastructure.outputs import Outputs


@dataclass(frozen=True)
class TrafficRouting:
    """The listeners with their actions, and the task sets with their task definitions."""

    listeners: tuple[Any, ...]
    task_sets: tuple[Any, ...]


def traffic_routing(cloud: Cloud, outputs: Outputs) -> TrafficRouting:
    """Return the routing of the environment with these outputs."""
    elbv2, ecs, host = cloud.client("elbv2"), cloud.client("ecs"), outputs.load_balancer_dns_name
    balancers = cloud.account.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    (arn,) = (one["LoadBalancerArn"] for one in balancers if one["DNSName"] == host)
    listeners = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    found = ecs.describe_services(cluster=outputs.cluster_name, services=[outputs.service_name])
    service = found["services"][0]
    return TrafficRouting(
        tuple((one["Port"], str(one["DefaultActions"])) for one in listeners),
        tuple((one["id"], one["status"], one["taskDefinition"]) for one in service["taskSets"]),
    )
