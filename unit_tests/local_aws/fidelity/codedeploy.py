"""Wrong calls of CodeDeploy, for deployments to ECS."""

import json
import time
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import MISSING, Wrong
from unit_tests.local_aws.fidelity.suite import Suite

ARN = "arn:aws:codedeploy:us-east-1:123456789012"
APPLICATION = {"applicationName": "application"}
GROUP = {**APPLICATION, "deploymentGroupName": "group"}
DEPLOYMENT = {"deploymentId": "$deployment"}
NOBODY = "d-ABCDEFGH1"
WEB = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"
CANARY = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 5}}
REVISION = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}}
ALARMS = {"enabled": True, "alarms": [{"name": f"alarm{number}"} for number in range(11)]}
SERVICE = [{"clusterName": "cluster", "serviceName": "blue-green"}]
SECOND = [{"clusterName": "cluster", "serviceName": "second"}]
PAIRS = {
    "targetGroupPairInfoList": [
        {
            "targetGroups": [{"name": "blue"}, {"name": "green"}],
            "prodTrafficRoute": {"listenerArns": ["$listener"]},
        }
    ]
}
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
BLUE_GREEN = {"terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE"}}
SETTINGS = {
    "serviceRoleArn": "$role",
    "ecsServices": SERVICE,
    "loadBalancerInfo": PAIRS,
    "deploymentStyle": STYLE,
    "blueGreenDeploymentConfiguration": BLUE_GREEN,
}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create an application with a group, a configuration, and a deployment that failed."""
    client = account.client("codedeploy")
    values = {"role": account.role, "listener": account.balancing["listener"]}
    for name in ("application", "other"):
        client.create_application(applicationName=name, computePlatform="ECS")
    client.create_deployment_config(
        deploymentConfigName="canary", computePlatform="ECS", trafficRoutingConfig=CANARY
    )
    pair = {**PAIRS["targetGroupPairInfoList"][0], "prodTrafficRoute": {"listenerArns": [values["listener"]]}}
    assert account.blue_green_service
    account.create_blue_green_service("second")
    settings = {
        **SETTINGS,
        "serviceRoleArn": account.role,
        "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
    }
    client.create_deployment_group(**GROUP, **settings, deploymentConfigName="canary")
    client.create_deployment_group(
        **APPLICATION, deploymentGroupName="second", **{**settings, "ecsServices": SECOND}
    )
    deployment = client.create_deployment(**GROUP, revision=appspec("nope"))["deploymentId"]
    while client.get_deployment(deploymentId=deployment)["deploymentInfo"]["status"] != "Failed":
        time.sleep(0.02)
    return {**values, "deployment": deployment, "running": _deploy_without_end(account, settings)}


def _deploy_without_end(account: Account, settings: Mapping[str, Any]) -> str:
    """Return a deployment that waits for tasks, whose image does not exist."""
    account.create_blue_green_service("endless")
    account.client("ecs").update_service(cluster="cluster", service="endless", desiredCount=1)
    group = {**APPLICATION, "deploymentGroupName": "endless"}
    client = account.client("codedeploy")
    services = [{"clusterName": "cluster", "serviceName": "endless"}]
    client.create_deployment_group(**group, **{**settings, "ecsServices": services})
    return str(client.create_deployment(**group, revision=appspec(WEB))["deploymentId"])


def appspec(definition: str) -> Mapping[str, Any]:
    """Return a revision that deploys a task definition."""
    target = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80},
    }
    resource = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": target}}
    content = json.dumps({"version": 0.0, "Resources": [resource]})
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}


VALID: Mapping[str, Mapping[str, Any]] = {
    "BatchGetApplications": {"applicationNames": ["application"]},
    "BatchGetDeploymentGroups": {**APPLICATION, "deploymentGroupNames": ["group"]},
    "BatchGetDeploymentTargets": {**DEPLOYMENT, "targetIds": ["cluster:blue-green"]},
    "BatchGetDeployments": {"deploymentIds": ["$deployment"]},
    "ContinueDeployment": DEPLOYMENT,
    "CreateApplication": {"applicationName": "new", "computePlatform": "ECS"},
    "CreateDeployment": {**GROUP, "revision": REVISION},
    "CreateDeploymentConfig": {
        "deploymentConfigName": "new",
        "computePlatform": "ECS",
        "trafficRoutingConfig": CANARY,
    },
    "CreateDeploymentGroup": {**APPLICATION, "deploymentGroupName": "new", **SETTINGS},
    "DeleteApplication": APPLICATION,
    "DeleteDeploymentConfig": {"deploymentConfigName": "canary"},
    "DeleteDeploymentGroup": GROUP,
    "GetApplication": APPLICATION,
    "GetApplicationRevision": {**APPLICATION, "revision": REVISION},
    "GetDeployment": DEPLOYMENT,
    "GetDeploymentConfig": {"deploymentConfigName": "canary"},
    "GetDeploymentGroup": GROUP,
    "GetDeploymentTarget": {**DEPLOYMENT, "targetId": "cluster:blue-green"},
    "ListApplicationRevisions": APPLICATION,
    "ListApplications": {},
    "ListDeploymentConfigs": {},
    "ListDeploymentGroups": APPLICATION,
    "ListDeploymentTargets": DEPLOYMENT,
    "ListDeployments": GROUP,
    "ListTagsForResource": {"ResourceArn": f"{ARN}:application:application"},
    "PutLifecycleEventHookExecutionStatus": {
        **DEPLOYMENT,
        "lifecycleEventHookExecutionId": "nope",
        "status": "Succeeded",
    },
    "RegisterApplicationRevision": {**APPLICATION, "revision": REVISION},
    "StopDeployment": DEPLOYMENT,
    "TagResource": {
        "ResourceArn": f"{ARN}:application:application",
        "Tags": [{"Key": "k", "Value": "v"}],
    },
    "UntagResource": {"ResourceArn": f"{ARN}:application:application", "TagKeys": ["k"]},
    "UpdateDeploymentGroup": {**APPLICATION, "currentDeploymentGroupName": "group"},
}
TAG_GROUP = [{"Key": "k", "Value": "v", "Type": "KEY_AND_VALUE"}]
WRONG = (
    Wrong("applicationName", MISSING, "ApplicationNameRequiredException"),
    Wrong("applicationName", "bad name", "InvalidApplicationNameException"),
    Wrong("applicationName", "nope", "ApplicationDoesNotExistException", ("ListDeploymentTargets",)),
    Wrong("applicationName", "application", "ApplicationAlreadyExistsException"),
    Wrong("applicationNames", [], "ApplicationNameRequiredException"),
    Wrong("applicationNames", ["bad name"], "InvalidApplicationNameException"),
    Wrong("applicationNames", ["nope"], "ApplicationDoesNotExistException"),
    Wrong("applicationNames", ["application"] * 101, "BatchLimitExceededException"),
    Wrong("deploymentGroupName", MISSING, "DeploymentGroupNameRequiredException"),
    Wrong("deploymentGroupName", "bad name", "InvalidDeploymentGroupNameException"),
    Wrong("deploymentGroupName", "nope", "DeploymentGroupDoesNotExistException"),
    Wrong("deploymentGroupName", "group", "DeploymentGroupAlreadyExistsException"),
    Wrong("deploymentGroupNames", [], "DeploymentGroupNameRequiredException"),
    Wrong("deploymentGroupNames", ["bad name"], "InvalidDeploymentGroupNameException"),
    Wrong("deploymentGroupNames", ["group"] * 101, "BatchLimitExceededException"),
    Wrong("currentDeploymentGroupName", MISSING, "DeploymentGroupNameRequiredException"),
    Wrong("currentDeploymentGroupName", "bad name", "InvalidDeploymentGroupNameException"),
    Wrong("currentDeploymentGroupName", "nope", "DeploymentGroupDoesNotExistException"),
    Wrong("deploymentConfigName", MISSING, "DeploymentConfigNameRequiredException"),
    Wrong("deploymentConfigName", "bad name", "InvalidDeploymentConfigNameException"),
    Wrong("deploymentConfigName", "nope", "DeploymentConfigDoesNotExistException"),
    Wrong("deploymentConfigName", "canary", "DeploymentConfigAlreadyExistsException"),
    Wrong("deploymentConfigName", "canary", "DeploymentConfigInUseException"),
    Wrong("deploymentConfigName", "CodeDeployDefault.ECSAllAtOnce", "InvalidOperationException"),
    Wrong("deploymentId", MISSING, "DeploymentIdRequiredException"),
    Wrong("deploymentId", "nope", "InvalidDeploymentIdException"),
    Wrong("deploymentId", NOBODY, "DeploymentDoesNotExistException"),
    Wrong("deploymentIds", [], "DeploymentIdRequiredException"),
    Wrong("deploymentIds", ["nope"], "InvalidDeploymentIdException"),
    Wrong("deploymentIds", [NOBODY] * 26, "BatchLimitExceededException"),
    Wrong("targetId", MISSING, "DeploymentTargetIdRequiredException"),
    Wrong("targetId", "nope", "InvalidDeploymentTargetIdException"),
    Wrong("targetId", "cluster:nope", "DeploymentTargetDoesNotExistException"),
    Wrong("targetIds", [], "DeploymentTargetIdRequiredException"),
    Wrong("targetIds", ["nope"], "InvalidDeploymentTargetIdException"),
    Wrong("targetIds", ["cluster:nope"], "DeploymentTargetDoesNotExistException"),
    Wrong("targetIds", ["cluster:nope"] * 2, "DeploymentTargetListSizeExceededException"),
    Wrong("deploymentWaitType", "LONG", "InvalidDeploymentWaitTypeException"),
    Wrong("computePlatform", "Moon", "InvalidComputePlatformException"),
    Wrong("revision", MISSING, "RevisionRequiredException"),
    Wrong("revision", {"revisionType": "S3"}, "InvalidRevisionException"),
    Wrong("revision", REVISION, "RevisionDoesNotExistException", ("CreateDeployment",)),
    Wrong("fileExistsBehavior", "MERGE", "InvalidFileExistsBehaviorException"),
    Wrong("autoRollbackConfiguration", {"enabled": True}, "InvalidAutoRollbackConfigException"),
    Wrong("overrideAlarmConfiguration", {"enabled": True}, "InvalidAlarmConfigException"),
    Wrong("overrideAlarmConfiguration", ALARMS, "AlarmsLimitExceededException"),
    Wrong("alarmConfiguration", {"enabled": True}, "InvalidAlarmConfigException"),
    Wrong("alarmConfiguration", ALARMS, "AlarmsLimitExceededException"),
    Wrong("trafficRoutingConfig", {"type": "TimeBasedCanary"}, "InvalidTrafficRoutingConfigurationException"),
    Wrong(
        "minimumHealthyHosts", {"type": "HOST_COUNT", "value": 1}, "InvalidMinimumHealthyHostValueException"
    ),
    Wrong(
        "zonalConfig",
        {"monitorDurationInSeconds": 1},
        "InvalidZonalDeploymentConfigurationException",
    ),
    Wrong("serviceRoleArn", MISSING, "RoleRequiredException"),
    Wrong("serviceRoleArn", "nope", "InvalidRoleException"),
    Wrong("deploymentStyle", {**STYLE, "deploymentType": "IN_PLACE"}, "InvalidDeploymentStyleException"),
    Wrong(
        "blueGreenDeploymentConfiguration",
        {"greenFleetProvisioningOption": {"action": "DISCOVER_EXISTING"}},
        "InvalidBlueGreenDeploymentConfigurationException",
    ),
    Wrong("ecsServices", [{"clusterName": "cluster", "serviceName": "nope"}], "InvalidECSServiceException"),
    Wrong("loadBalancerInfo", {"elbInfoList": [{"name": "x"}]}, "InvalidLoadBalancerInfoException"),
    Wrong("loadBalancerInfo", {"targetGroupPairInfoList": [{}]}, "InvalidTargetGroupPairException"),
    Wrong("ec2TagFilters", [{"Key": "k", "Type": "SOME"}], "InvalidEC2TagException"),
    Wrong("ec2TagSet", {"ec2TagSetList": [TAG_GROUP] * 4}, "TagSetListLimitExceededException"),
    Wrong("autoScalingGroups", ["nope"], "InvalidAutoScalingGroupException"),
    Wrong("onPremisesInstanceTagFilters", [{"Key": "k", "Type": "SOME"}], "InvalidTagException"),
    Wrong("triggerConfigurations", [{"triggerEvents": ["Never"]}], "InvalidTriggerConfigException"),
    Wrong(
        "triggerConfigurations",
        [
            {
                "triggerName": f"t{n}",
                "triggerTargetArn": "arn:aws:sns:us-east-1:123456789012:t",
                "triggerEvents": ["DeploymentStart"],
            }
            for n in range(11)
        ],
        "TriggerTargetsLimitExceededException",
    ),
    Wrong("sortBy", "size", "InvalidSortByException"),
    Wrong("sortOrder", "up", "InvalidSortOrderException"),
    Wrong("deployed", "maybe", "InvalidDeployedStateFilterException"),
    Wrong("s3KeyPrefix", "p", "BucketNameFilterRequiredException"),
    Wrong("s3Bucket", "Bad Bucket", "InvalidBucketNameFilterException"),
    Wrong("nextToken", "zz", "InvalidNextTokenException"),
    Wrong("includeOnlyStatuses", ["Up"], "InvalidDeploymentStatusException"),
    Wrong("targetFilters", {"Color": ["red"]}, "InvalidTargetFilterNameException"),
    Wrong("targetFilters", {"TargetStatus": ["red"]}, "InvalidInstanceStatusException"),
    Wrong("targetFilters", {"ServerInstanceLabel": ["red"]}, "InvalidInstanceTypeException"),
    Wrong("ResourceArn", MISSING, "ResourceArnRequiredException"),
    Wrong("ResourceArn", "zz", "InvalidArnException"),
    Wrong("ResourceArn", f"{ARN}:deploymentconfig:canary", "ArnNotSupportedException"),
    Wrong("ResourceArn", f"{ARN}:application:nope", "ApplicationDoesNotExistException"),
    Wrong("ResourceArn", f"{ARN}:deploymentgroup:application/nope", "DeploymentGroupDoesNotExistException"),
    Wrong("Tags", MISSING, "TagRequiredException"),
    Wrong("Tags", [{"Key": "aws:k", "Value": "v"}], "InvalidTagsToAddException"),
    Wrong("TagKeys", MISSING, "TagRequiredException"),
    Wrong("TagKeys", ["aws:k"], "InvalidTagsToAddException"),
    Wrong("tags", [{"Key": "aws:k", "Value": "v"}], "InvalidTagsToAddException"),
    Wrong("status", "Maybe", "InvalidLifecycleEventHookExecutionStatusException"),
    Wrong("lifecycleEventHookExecutionId", "nope", "InvalidLifecycleEventHookExecutionIdException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("ContinueDeployment", {"deploymentId": "$running"}, "DeploymentIsNotInReadyStateException"),
    (
        "CreateDeployment",
        {"deploymentGroupName": "endless", "revision": appspec(WEB)},
        "DeploymentLimitExceededException",
    ),
    *(
        (operation, members, code)
        for operation in ("CreateDeploymentGroup", "UpdateDeploymentGroup")
        for members, code in (
            (
                {"ec2TagFilters": TAG_GROUP, "ec2TagSet": {"ec2TagSetList": [TAG_GROUP]}},
                "InvalidEC2TagCombinationException",
            ),
            (
                {
                    "onPremisesInstanceTagFilters": TAG_GROUP,
                    "onPremisesTagSet": {"onPremisesTagSetList": [TAG_GROUP]},
                },
                "InvalidOnPremisesTagCombinationException",
            ),
        )
    ),
    ("UpdateDeploymentGroup", {"newDeploymentGroupName": "second"}, "DeploymentGroupAlreadyExistsException"),
    ("UpdateDeploymentGroup", {"ecsServices": SECOND}, "ECSServiceMappingLimitExceededException"),
    ("ContinueDeployment", {}, "DeploymentAlreadyCompletedException"),
    ("StopDeployment", {}, "DeploymentAlreadyCompletedException"),
    ("CreateDeploymentGroup", {"ecsServices": SERVICE}, "ECSServiceMappingLimitExceededException"),
    (
        "ListDeployments",
        {"createTimeRange": {"start": 2_000_000_000, "end": 1_000_000_000}},
        "InvalidTimeRangeException",
    ),
)
SUITE = Suite("codedeploy", tuple(VALID), VALID, WRONG, CHANGES, prepare)
