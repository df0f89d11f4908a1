"""What ECS checks in requests about services and tasks, in AWS's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.services.ecs.errors import invalid_parameter
from local_aws.services.ecs.records import EcsService

# What only a deployment can change with the CODE_DEPLOY controller, and its name in AWS's message.
CHANGED_BY_DEPLOYMENT = {
    "taskDefinition": "task definition",
    "networkConfiguration": "network parameters",
    "loadBalancers": "load balancers",
    "platformVersion": "platform version",
}
_CODE_DEPLOY = (
    "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
)


def check_balancers(
    context: Context, definition: Mapping[str, Any], balancers: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse load balancers whose container, port or target group does not fit (pitfalls B2 and B7)."""
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    for balancer in balancers:
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in containers:
            raise invalid_parameter(f"The container {name} does not exist in the task definition.")
        if port not in [mapping["containerPort"] for mapping in containers[name]["portMappings"]]:
            raise invalid_parameter(f"The container {name} did not have a container port {port} defined.")
    for balancer in balancers:
        _check_target_group(context, balancer["targetGroupArn"])


def _check_target_group(context: Context, arn: str) -> None:
    try:
        group = context.client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    except ClientError as error:
        raise invalid_parameter(f"The target group with targetGroupArn {arn} does not exist.") from error
    if not group.get("LoadBalancerArns"):
        raise invalid_parameter(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )


def check_update(params: Mapping[str, Any]) -> None:
    """Refuse an update that only a deployment of CodeDeploy can make (pitfalls C1 and C2)."""
    for key, name in CHANGED_BY_DEPLOYMENT.items():
        if key in params:
            raise invalid_parameter(f"Unable to update {name} {_CODE_DEPLOY}")
    if params.get("forceNewDeployment"):
        raise invalid_parameter(f"Cannot force a new deployment {_CODE_DEPLOY}")


def check_deletion(service: EcsService, *, force: bool) -> None:
    """Refuse to delete a service that is scaled above 0 or has deployments, unless with `force`."""
    if force:
        return
    if service.content["desiredCount"] > 0 and service.content["schedulingStrategy"] == "REPLICA":
        raise invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    if len([task_set for task_set in service.task_sets if not task_set.draining]) > 1:
        raise invalid_parameter("The service cannot be stopped while deployments are active.")
