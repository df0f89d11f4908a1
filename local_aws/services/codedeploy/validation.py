"""What CodeDeploy checks in requests, in AWS's words, and what local_aws does not implement."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codedeploy import instances
from local_aws.services.codedeploy.deployment_config import PREFIX, canary, linear
from local_aws.services.codedeploy.records import DeploymentGroup, service_role
from local_aws.services.codedeploy.revisions import with_sha256

Settings = dict[str, Any]

ECS_ONLY = "local_aws does not implement compute platforms other than ECS"
# Settings of other compute platforms, and SNS triggers, in whose place EventBridge rules work here.
UNSUPPORTED = (
    *("ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups", "ec2TagSet", "onPremisesTagSet"),
    *("triggerConfigurations", "terminationHookEnabled"),
)
# https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
MAX_TRIGGERS = 10
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
KEPT = (
    *("deploymentConfigName", "serviceRoleArn", "alarmConfiguration", "autoRollbackConfiguration"),
    *("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo", "ecsServices"),
    "outdatedInstancesStrategy",
)


def settings_of(context: Context, params: Mapping[str, Any]) -> Settings:
    """Return the settings in a request; refuse those that local_aws does not implement."""
    if len(params.get("triggerConfigurations", [])) > MAX_TRIGGERS:
        raise AwsError("TriggerTargetsLimitExceededException", f"A group has up to {MAX_TRIGGERS} triggers")
    instances.check_instances(context, params)
    for name in UNSUPPORTED:
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


def check_group(context: Context, arn: str, settings: Settings, others: Iterable[DeploymentGroup]) -> None:
    """Refuse settings with which a group cannot deploy; `others` are the account's other groups."""
    _check_style(settings)
    _check_alarms(settings.get("alarmConfiguration", {}))
    check_rollback(settings)
    role = service_role(settings.get("serviceRoleArn", ""), arn)
    _check_role(context, role)
    service = _check_service(context, role, settings)
    _check_pair(context, role, settings)
    for other in others:
        if other.settings["ecsServices"][0] == service:
            # pitfall C9
            raise AwsError(
                "ECSServiceMappingLimitExceededException",
                "The Amazon ECS service is associated with more than one deployment groups. "
                "An Amazon ECS service can be associated with only one deployment group.",
            )


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
    info = settings.get("loadBalancerInfo", {})
    if info.get("elbInfoList") or info.get("targetGroupInfoList"):
        raise AwsError("InvalidLoadBalancerInfoException", "An ECS deployment group has target group pairs")
    pairs = info.get("targetGroupPairInfoList", [])
    if len(pairs) != 1 or len(pairs[0].get("targetGroups", [])) != 2:
        raise AwsError(
            "InvalidTargetGroupPairException",
            "An ECS deployment group must have exactly one target group pair, with two target groups",
        )
    pair = pairs[0]
    _check_groups(pair)
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


def _check_groups(pair: Mapping[str, Any]) -> None:
    if pair["targetGroups"][0] == pair["targetGroups"][1]:
        raise AwsError("InvalidTargetGroupPairException", "A target group pair has two target groups")


def check_deployment(params: Mapping[str, Any]) -> None:
    """Refuse what a deployment to ECS cannot have."""
    for name in ("targetInstances", "updateOutdatedInstancesOnly"):
        if params.get(name):
            raise AwsError("UnsupportedOperation", f"{ECS_ONLY}: {name}", 501)
    check_rollback(params)
    _check_alarms(params.get("overrideAlarmConfiguration", {}))


def _check_alarms(alarms: Mapping[str, Any]) -> None:
    if len(alarms.get("alarms", [])) > 10:
        raise AwsError("AlarmsLimitExceededException", "A deployment group has up to 10 alarms")
    names = [alarm.get("name") for alarm in alarms.get("alarms", [])]
    if len(set(names)) < len(names) or not all(names):
        raise AwsError("InvalidAlarmConfigException", "Each alarm must have a name of its own")
    if alarms.get("enabled") and not names:
        raise AwsError("InvalidAlarmConfigException", "An enabled alarmConfiguration must name alarms")


def check_rollback(settings: Mapping[str, Any]) -> None:
    """Refuse automatic rollbacks without events, with which no deployment would ever be rolled back.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html#API_CreateDeploymentGroup_Errors
    """
    rollback = settings.get("autoRollbackConfiguration", {})
    if rollback.get("enabled") and not rollback.get("events"):
        raise AwsError(
            "InvalidAutoRollbackConfigException",
            "The automatic rollback configuration was specified in an invalid format: automatic rollback is "
            "enabled, but no event types were listed.",
        )


def check_application_and_group(params: Mapping[str, Any]) -> None:
    """Refuse to list deployments by an application or a group alone: both are given, or neither.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
    """
    if "deploymentGroupName" in params and "applicationName" not in params:
        raise AwsError("ApplicationNameRequiredException", "The application name must be specified.")
    if "applicationName" in params and "deploymentGroupName" not in params:
        raise AwsError("DeploymentGroupNameRequiredException", "The deployment group name must be specified.")


def check_target_id(target: str) -> None:
    """Refuse the malformed id of an ECS deployment's target; one by its ARN is accepted.

    The message: https://github.com/awsdocs/amazon-ecs-developer-guide/issues/112
    """
    if target.count(":") != 1 and not target.startswith("arn:"):
        raise AwsError(
            "InvalidDeploymentTargetIdException",
            f"Invalid id {target} for ECS deployment, valid Id should be in format "
            "<cluster-name>:<service-name>",
        )


def check_platform(params: Mapping[str, Any]) -> None:
    """Refuse compute platforms other than ECS."""
    if params.get("computePlatform", "Server") != "ECS":
        raise AwsError("UnsupportedOperation", ECS_ONLY, 501)


def check_config(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the traffic routing of a CreateDeploymentConfig request; refuse what AWS refuses."""
    name = params["deploymentConfigName"]
    if name.startswith(PREFIX):
        raise AwsError("InvalidDeploymentConfigNameException", f"{name} starts with the reserved {PREFIX}")
    check_platform(params)
    if params.get("zonalConfig"):
        raise AwsError("InvalidZonalDeploymentConfigurationException", "ECS deployments have no zonalConfig")
    if params.get("minimumHealthyHosts"):
        raise AwsError(
            "InvalidMinimumHealthyHostValueException", "ECS deployments have no minimum of healthy hosts"
        )
    routing = params.get("trafficRoutingConfig")
    if not routing:
        raise AwsError(
            "InvalidTrafficRoutingConfigurationException", "trafficRoutingConfig must be specified"
        )
    return _check_routing(routing)


def _check_routing(routing: Mapping[str, Any]) -> dict[str, Any]:
    kind = routing.get("type")
    if kind == "AllAtOnce":
        return {"type": kind}
    label = str(kind).removeprefix("TimeBased").lower()
    share = routing.get(f"timeBased{label.capitalize()}", {})
    percentage, minutes = share.get(f"{label}Percentage", 0), share.get(f"{label}Interval", 0)
    if label not in ("canary", "linear") or not 0 < percentage < 100 or not 0 < minutes <= 2880:
        raise AwsError(
            "InvalidTrafficRoutingConfigurationException",
            f"{kind} needs a percentage of 1 to 99 and an interval of 1 to 2880 minutes",
        )
    return canary(percentage, minutes) if label == "canary" else linear(percentage, minutes)


def check_revision(revision: Mapping[str, Any]) -> dict[str, Any]:
    """Return a revision's location with its SHA-256; refuse one that ECS deployments cannot have."""
    kind = revision.get("revisionType")
    part = {"AppSpecContent": "appSpecContent", "String": "string", "S3": "s3Location"}.get(str(kind))
    if part is None or part not in revision:
        raise AwsError(
            "InvalidRevisionException",
            "An ECS deployment's revision must be an AppSpecContent, a String or in S3",
        )
    if part == "s3Location" and str(revision[part].get("bundleType")).upper() not in ("YAML", "JSON"):
        raise AwsError("InvalidRevisionException", "The bundle type of an ECS revision is YAML or JSON")
    return with_sha256(revision)
