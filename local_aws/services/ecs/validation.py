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
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/register-multiple-targetgroups.html
MOST_BALANCERS = 5
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
    if len(balancers) > MOST_BALANCERS:
        raise invalid_parameter(f"load balancers can have at most {MOST_BALANCERS} items.")
    for balancer in balancers:
        if "targetGroupArn" not in balancer:
            raise invalid_parameter("targetGroupArn can not be blank.")
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


def check_deployment_percents(params: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    """Refuse percentages with which a rolling update could neither start nor stop a task.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    given = {**current, **params.get("deploymentConfiguration", {})}
    most, least = given.get("maximumPercent", 200), given.get("minimumHealthyPercent", 100)
    if most < 100 or not 0 <= least <= 100:
        raise invalid_parameter(
            "maximumPercent must be at least 100, and minimumHealthyPercent between 0 and 100."
        )
    if most == least == 100:
        raise invalid_parameter(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )


def check_new_service(params: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Refuse what a service of this task definition cannot have."""
    if "healthCheckGracePeriodSeconds" in params and not params.get("loadBalancers"):
        raise invalid_parameter(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    if params.get("enableExecuteCommand") and not definition.get("taskRoleArn"):
        raise invalid_parameter(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid "
            "task role in your task definition and try again."
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
