"""What a deployment group of ECS must satisfy: checked as CreateDeploymentGroup does, in AWS's words."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codedeploy.records import DeploymentGroup

Settings = dict[str, Any]

# Settings of other compute platforms, and SNS triggers: EventBridge rules do here what they do.
NOT_DONE = (
    *("ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups", "ec2TagSet", "onPremisesTagSet"),
    *("triggerConfigurations", "terminationHookEnabled"),
)
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
KEPT = (
    *("deploymentConfigName", "serviceRoleArn", "alarmConfiguration", "autoRollbackConfiguration"),
    *("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo", "ecsServices"),
    "outdatedInstancesStrategy",
)


def settings_of(params: Mapping[str, Any]) -> Settings:
    """Return what a request sets of a group; refuse by name what nothing here would act on."""
    for name in NOT_DONE:
        if params.get(name):
            raise AwsError("UnsupportedOperation", f"local_aws does not implement {name} of CodeDeploy", 501)
    return {name: params[name] for name in KEPT if name in params}


def with_defaults(settings: Settings) -> Settings:
    """Return the settings with AWS's defaults for ECS."""
    blue_green = {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": 0,
        },
        "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0},
    }
    given = settings.get("blueGreenDeploymentConfiguration", {})
    merged = {key: {**value, **given.get(key, {})} for key, value in blue_green.items()}
    return {**settings, "blueGreenDeploymentConfiguration": merged}


def check(context: Context, arn: str, settings: Settings, others: Iterable[DeploymentGroup]) -> None:
    """Refuse settings of a group that could not deploy; `others` are all other groups of the account."""
    role = ServiceRole(settings.get("serviceRoleArn", ""), "codedeploy", arn)
    _check_role(context, role)
    _check_style(settings)
    service = _check_service(context, role, settings)
    for other in others:
        if other.settings["ecsServices"][0] == service:
            # pitfall C9
            raise AwsError(
                "ECSServiceMappingLimitExceededException",
                "The Amazon ECS service is associated with more than one deployment groups. "
                "An Amazon ECS service can be associated with only one deployment group.",
            )
    _check_pair(context, role, settings)
    _check_alarms(settings)


def _check_role(context: Context, role: ServiceRole) -> None:
    if not role:
        raise AwsError("RoleRequiredException", "serviceRoleArn must be specified")
    if ":role/" not in role:
        raise AwsError("InvalidRoleException", f"The role {role} is not the ARN of a role")
    try:
        context.client("iam").get_role(RoleName=role.rpartition("/")[2])
        context.credentials(role)
    except ClientError as error:
        raise AwsError(
            "InvalidRoleException",
            f"AWS CodeDeploy does not have the permissions required to assume the role {role}.",
        ) from error


def _check_style(settings: Settings) -> None:
    if settings.get("deploymentStyle") != STYLE:
        raise AwsError(
            "InvalidDeploymentStyleException",
            "For an ECS deployment group, deploymentStyle must be BLUE_GREEN and WITH_TRAFFIC_CONTROL",
        )
    blue_green = settings.get("blueGreenDeploymentConfiguration")
    if not blue_green:
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "blueGreenDeploymentConfiguration must be specified for an ECS deployment group",
        )
    blue = blue_green.get("terminateBlueInstancesOnDeploymentSuccess", {})
    if blue.get("action", "TERMINATE") != "TERMINATE":
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "terminateBlueInstancesOnDeploymentSuccess must have the action TERMINATE for ECS",
        )
    if not 0 <= blue.get("terminationWaitTimeInMinutes", 0) <= 2880:
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "terminationWaitTimeInMinutes must be between 0 and 2880",
        )
    if blue_green.get("greenFleetProvisioningOption"):
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "greenFleetProvisioningOption is not for ECS deployment groups",
        )


def _check_service(context: Context, role: ServiceRole, settings: Settings) -> dict[str, str]:
    services: list[dict[str, str]] = settings.get("ecsServices", [])
    if len(services) != 1 or not services[0].get("clusterName") or not services[0].get("serviceName"):
        raise AwsError("InvalidECSServiceException", "The Amazon ECS service identifier is not valid.")
    service = services[0]
    try:
        answer = context.client("ecs", role).describe_services(
            cluster=service["clusterName"], services=[service["serviceName"]]
        )
    except ClientError as error:
        raise AwsError("InvalidECSServiceException", error.response["Error"]["Message"]) from error
    found = [item for item in answer["services"] if item.get("status") == "ACTIVE"]
    if not found:
        raise AwsError("InvalidECSServiceException", "The Amazon ECS service identifier is not valid.")
    if found[0].get("deploymentController", {}).get("type") != "CODE_DEPLOY":
        raise AwsError(
            "InvalidECSServiceException",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        )
    return service


def _check_pair(context: Context, role: ServiceRole, settings: Settings) -> None:
    pairs = settings.get("loadBalancerInfo", {}).get("targetGroupPairInfoList", [])
    if len(pairs) != 1 or len(pairs[0].get("targetGroups", [])) != 2:
        raise AwsError(
            "InvalidTargetGroupPairException",
            "An ECS deployment group must have exactly one target group pair, with two target groups",
        )
    pair = pairs[0]
    listeners = [
        arn
        for route in ("prodTrafficRoute", "testTrafficRoute")
        for arn in pair.get(route, {}).get("listenerArns", [])
    ]
    if len(pair.get("prodTrafficRoute", {}).get("listenerArns", [])) != 1:
        raise AwsError(
            "InvalidTargetGroupPairException",
            "prodTrafficRoute must have exactly one listener",
        )
    elbv2 = context.client("elbv2", role)
    try:
        elbv2.describe_target_groups(Names=[group["name"] for group in pair["targetGroups"]])
        elbv2.describe_listeners(ListenerArns=listeners)
    except ClientError as error:
        raise AwsError(
            "InvalidTargetGroupPairException",
            f"The target group pair is not valid: {error.response['Error']['Message']}",
        ) from error


def _check_alarms(settings: Settings) -> None:
    alarms = settings.get("alarmConfiguration", {})
    if len(alarms.get("alarms", [])) > 10:
        raise AwsError("AlarmsLimitExceededException", "A deployment group has up to 10 alarms")
    if alarms.get("enabled") and not alarms.get("alarms"):
        raise AwsError("InvalidAlarmConfigException", "An enabled alarmConfiguration must name alarms")
