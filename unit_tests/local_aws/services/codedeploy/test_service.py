"""CodeDeploy's applications, groups and configurations, with AWS's errors; and CloudFormation's types."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codedeploy.fakes import PRODUCTION, ROLE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.codedeploy.stop()


def pair(**changes: Any) -> dict[str, Any]:
    given = {
        "targetGroups": [{"name": "blue"}, {"name": "green"}],
        "prodTrafficRoute": {"listenerArns": [PRODUCTION]},
    }
    return {"targetGroupPairInfoList": [{**given, **changes}]}


def test_a_group_is_described_with_the_defaults_of_aws(world: World) -> None:
    request = world.group()
    created = world.call("CreateDeploymentGroup", **request)
    info = world.call("GetDeploymentGroup", applicationName="app", deploymentGroupName="group")
    info = info["deploymentGroupInfo"]
    assert info["deploymentGroupId"] == created["deploymentGroupId"]
    assert info["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert info["computePlatform"] == "ECS"
    ready = info["blueGreenDeploymentConfiguration"]["deploymentReadyOption"]
    assert ready == {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
    assert info["loadBalancerInfo"] == request["loadBalancerInfo"]
    assert "lastAttemptedDeployment" not in info


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"applicationName": "other"}, "ApplicationDoesNotExistException"),
        ({"serviceRoleArn": ROLE + "-gone"}, "InvalidRoleException"),
        ({"serviceRoleArn": "deploy"}, "InvalidRoleException"),
        ({"deploymentConfigName": "gone"}, "DeploymentConfigDoesNotExistException"),
        ({"deploymentStyle": None}, "InvalidDeploymentStyleException"),
        ({"blueGreenDeploymentConfiguration": None}, "InvalidBlueGreenDeploymentConfigurationException"),
        ({"ecsServices": []}, "InvalidECSServiceException"),
        ({"loadBalancerInfo": pair(targetGroups=[{"name": "blue"}])}, "InvalidTargetGroupPairException"),
        (
            {"loadBalancerInfo": pair(prodTrafficRoute={"listenerArns": ["arn:gone"]})},
            "InvalidTargetGroupPairException",
        ),
        ({"alarmConfiguration": {"enabled": True, "alarms": []}}, "InvalidAlarmConfigException"),
        ({"autoScalingGroups": ["fleet"]}, "UnsupportedOperation"),
        ({"autoScalingGroups": ["fleet", "nope"]}, "InvalidAutoScalingGroupException"),
    ],
)
def test_a_group_that_cannot_deploy_is_refused(world: World, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        world.call("CreateDeploymentGroup", **world.group(**changes))
    assert refused.value.code == code
    world.call("CreateDeploymentGroup", **world.group())


def test_a_service_with_another_controller_is_refused(world: World) -> None:
    world.ecs.controller = "ECS"
    with pytest.raises(AwsError, match="must be configured for a CODE_DEPLOY deployment controller"):
        world.call("CreateDeploymentGroup", **world.group())


def test_a_second_group_on_the_same_service_is_refused(world: World) -> None:
    """Pitfall C9."""
    world.call("CreateDeploymentGroup", **world.group())
    with pytest.raises(AwsError) as refused:
        world.call("CreateDeploymentGroup", **world.group("second"))
    assert refused.value.code == "ECSServiceMappingLimitExceededException"
    world.call("DeleteDeploymentGroup", applicationName="app", deploymentGroupName="group")
    world.call("CreateDeploymentGroup", **world.group("second"))


def test_the_predefined_configurations_of_ecs_exist(world: World) -> None:
    names = world.call("ListDeploymentConfigs")["deploymentConfigsList"]
    assert {name.removeprefix("CodeDeployDefault.ECS") for name in names} == {
        *("AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent15Minutes"),
        *("Linear10PercentEvery1Minutes", "Linear10PercentEvery3Minutes"),
    }
    name = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    info = world.call("GetDeploymentConfig", deploymentConfigName=name)["deploymentConfigInfo"]
    canary = {"canaryPercentage": 10, "canaryInterval": 5}
    assert info["trafficRoutingConfig"] == {"type": "TimeBasedCanary", "timeBasedCanary": canary}


def test_a_configuration_in_use_cannot_be_deleted(world: World) -> None:
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 30, "linearInterval": 2}}
    given = {"deploymentConfigName": "mine", "computePlatform": "ECS", "trafficRoutingConfig": routing}
    world.call("CreateDeploymentConfig", **given)
    assert [step.percentage for step in world.codedeploy.configs["mine"].steps()] == [30, 60, 90, 100]
    world.call("CreateDeploymentGroup", **world.group(deploymentConfigName="mine"))
    with pytest.raises(AwsError) as refused:
        world.call("DeleteDeploymentConfig", deploymentConfigName="mine")
    assert refused.value.code == "DeploymentConfigInUseException"


def test_an_unknown_deployment_application_or_target_is_refused(world: World) -> None:
    for operation, given, code in (
        ("GetDeployment", {"deploymentId": "d-NOTHERE01"}, "DeploymentDoesNotExistException"),
        ("GetApplication", {"applicationName": "gone"}, "ApplicationDoesNotExistException"),
        (
            "GetDeploymentGroup",
            {"applicationName": "app", "deploymentGroupName": "gone"},
            "DeploymentGroupDoesNotExistException",
        ),
        (
            "CreateApplication",
            {"applicationName": "app", "computePlatform": "ECS"},
            "ApplicationAlreadyExists",
        ),
        ("CreateApplication", {"applicationName": "x"}, "UnsupportedOperation"),
    ):
        with pytest.raises(AwsError) as refused:
            world.call(operation, **given)
        assert refused.value.code.startswith(code)


def test_the_content_of_a_revision_is_found_by_its_sha256(world: World) -> None:
    world.call("CreateDeploymentGroup", **world.group())
    deployment = world.deploy("version: 0.0")
    location = world.info(deployment)["revision"]
    found = world.call("GetApplicationRevision", applicationName="app", revision=location)
    assert found["revision"]["appSpecContent"]["content"] == "version: 0.0"
    assert found["revisionInfo"]["deploymentGroups"] == ["group"]


def test_deployments_are_listed_by_group_and_status(world: World) -> None:
    world.call("CreateDeploymentGroup", **world.group())
    first = world.deploy("bad")
    world.wait(first, "Failed")
    second = world.deploy("bad")
    world.wait(second, "Failed")
    of_group = {"applicationName": "app", "deploymentGroupName": "group"}
    assert world.call("ListDeployments", **of_group)["deployments"] == [second, first]
    assert world.call("ListDeployments", **of_group, includeOnlyStatuses=["Succeeded"])["deployments"] == []
    info = world.call("GetDeploymentGroup", **of_group)["deploymentGroupInfo"]
    assert info["lastAttemptedDeployment"]["deploymentId"] == second
    assert "lastSuccessfulDeployment" not in info


def test_tags_are_stored_and_listed(world: World) -> None:
    arn = "arn:aws:codedeploy:us-east-1:123456789012:application:app"
    world.call("TagResource", ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    world.call("UntagResource", ResourceArn=arn, TagKeys=["a"])
    assert world.call("ListTagsForResource", ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(AwsError):
        world.call("ListTagsForResource", ResourceArn=arn + "x")


def template_group() -> dict[str, Any]:
    """A deployment group in a template: CloudFormation's casing, numbers as text."""
    return {
        "ApplicationName": "app",
        "DeploymentGroupName": "group",
        "ServiceRoleArn": ROLE,
        "DeploymentConfigName": "CodeDeployDefault.ECSAllAtOnce",
        "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
        "BlueGreenDeploymentConfiguration": {
            "TerminateBlueInstancesOnDeploymentSuccess": {
                "Action": "TERMINATE",
                "TerminationWaitTimeInMinutes": "5",
            },
            "DeploymentReadyOption": {"ActionOnTimeout": "CONTINUE_DEPLOYMENT", "WaitTimeInMinutes": 0},
        },
        "LoadBalancerInfo": {
            "TargetGroupPairInfoList": [
                {
                    "TargetGroups": [{"Name": "blue"}, {"Name": "green"}],
                    "ProdTrafficRoute": {"ListenerArns": [PRODUCTION]},
                }
            ]
        },
        "ECSServices": [{"ClusterName": "cluster", "ServiceName": "svc"}],
        "AlarmConfiguration": {"Enabled": "true", "Alarms": [{"Name": "a"}]},
        "AutoRollbackConfiguration": {"Enabled": True, "Events": ["DEPLOYMENT_FAILURE"]},
        "Tags": [{"Key": "k", "Value": "v"}],
    }


def test_cloudformation_creates_updates_and_deletes_a_group_with_every_property(world: World) -> None:
    group = world.codedeploy.resource_types()["AWS::CodeDeploy::DeploymentGroup"]
    properties = template_group()
    name, _ = group.create(properties, "Group", "stack")
    settings = world.codedeploy.applications["app"].groups[name].settings
    blue = settings["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    assert blue == {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5}
    assert settings["alarmConfiguration"] == {"enabled": True, "alarms": [{"name": "a"}]}
    new = {key: value for key, value in properties.items() if key not in ("AlarmConfiguration", "Tags")}
    assert group.update is not None
    group.update(name, properties, new)
    assert (
        world.codedeploy.applications["app"].groups[name].settings["alarmConfiguration"]["enabled"] is False
    )
    arn = "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:app/group"
    assert world.call("ListTagsForResource", ResourceArn=arn)["Tags"] == []
    group.delete(name, new)
    assert world.codedeploy.applications["app"].groups == {}


def test_cloudformation_refuses_an_unknown_property(world: World) -> None:
    """Negative control of the test before."""
    group = world.codedeploy.resource_types()["AWS::CodeDeploy::DeploymentGroup"]
    properties = template_group()
    properties["AlarmConfiguration"]["Threshold"] = 3
    with pytest.raises(AwsError, match=r"AlarmConfiguration\.Threshold"):
        group.create(properties, "Group", "stack")


@pytest.mark.parametrize(
    ("operation", "target"),
    [
        ("ListDeploymentTargets", {}),
        ("GetDeploymentTarget", {"targetId": "any"}),
        ("BatchGetDeploymentTargets", {"targetIds": ["any"]}),
    ],
)
def test_a_deployment_that_has_not_started_has_no_targets(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, target: dict[str, Any]
) -> None:
    world.call("CreateDeploymentGroup", **world.group())
    monkeypatch.setattr(world.codedeploy.context, "spawn", lambda *_: None)
    deployment = world.deploy()
    with pytest.raises(AwsError) as refused:
        world.call(operation, deploymentId=deployment, **target)
    assert refused.value.code == "DeploymentNotStartedException"


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("ListDeployments", {"applicationName": "app"}, "DeploymentGroupNameRequiredException"),
        ("ListDeployments", {"deploymentGroupName": "group"}, "ApplicationNameRequiredException"),
        ("BatchGetApplications", {"applicationNames": ["app", "no"]}, "ApplicationDoesNotExistException"),
    ],
)
def test_a_list_of_deployments_or_applications_names_what_exists(
    world: World, operation: str, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(AwsError) as refused:
        world.call(operation, **given)
    assert refused.value.code == code


def test_automatic_rollbacks_without_events_are_refused(world: World) -> None:
    for rollback in ({"enabled": True}, {"enabled": True, "events": []}):
        group = world.group(autoRollbackConfiguration=rollback)
        with pytest.raises(AwsError) as refused:
            world.call("CreateDeploymentGroup", **group)
        assert refused.value.code == "InvalidAutoRollbackConfigException"


def test_the_id_of_a_target_is_a_cluster_and_a_service(world: World) -> None:
    world.call("CreateDeploymentGroup", **world.group())
    deployment = world.deploy("version: 0.0")
    world.wait(deployment, "Succeeded", "Failed")
    with pytest.raises(AwsError) as refused:
        world.call("GetDeploymentTarget", deploymentId=deployment, targetId="k")
    assert refused.value.code == "InvalidDeploymentTargetIdException"
    assert refused.value.message == (
        "Invalid id k for ECS deployment, valid Id should be in format <cluster-name>:<service-name>"
    )
