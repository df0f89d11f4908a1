"""Pitfalls of a service under CodeDeploy: what CloudFormation can no longer change.

The tests share one service and run in file order.
"""

import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.alarms import raised_alarms, wait_for_alarm
from integration_tests.pitfalls.service import BlueGreenService, service
from operations import listener_drift

pytestmark = pytest.mark.slow

# Longer than any alarm of the deployment group needs.
MINUTES_OF_ALARMS = 6
UNDONE = "UPDATE_ROLLBACK_COMPLETE"
BY_CODEDEPLOY = (
    "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
)


@pytest.fixture(scope="module")
def blue_green_service(cloud: Cloud) -> Iterator[BlueGreenService]:
    resources = service(cloud)
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        yield BlueGreenService(stack, resources)


def test_a_service_has_one_deployment_group(blue_green_service: BlueGreenService) -> None:
    """pitfall C9: a second one is rejected, and the service keeps the first."""
    resources = deepcopy(blue_green_service.resources)
    role, group = (
        deepcopy(resources[name]) for name in ("PipelineDeploymentRole", "PipelineDeploymentGroup")
    )
    role["Properties"]["RoleName"] += "-2"
    # The synthesized role is limited to the first group.
    for trust in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
        del trust["Condition"]
    group["Properties"] |= {
        "DeploymentGroupName": "second",
        "ServiceRoleArn": {"Fn::GetAtt": ["Role2", "Arn"]},
    }
    both = {**resources, "Role2": role, "Group2": group}
    assert blue_green_service.stack.update({"Resources": both}) == UNDONE
    words = "An Amazon ECS service can be associated with only one deployment group."
    assert words in blue_green_service.stack.failures()


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"TaskDefinition": {"Ref": "ComputeTask"}}, "task definition"),
        ({"PlatformVersion": "1.4.0"}, "task definition"),
        ({"EnableExecuteCommand": True}, "task definition"),
        ({"PropagateTags": "TASK_DEFINITION"}, "task definition"),
        ({"HealthCheckGracePeriodSeconds": 61}, "task definition"),
        ({"DesiredCount": 3}, "task definition"),
        ({"Tags": [{"Key": "team", "Value": "greeters"}]}, "task definition"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_no_property_of_the_service_can_be_updated(
    blue_green_service: BlueGreenService, change: dict[str, Any], refused: str
) -> None:
    """pitfalls C1, C2, C3: on any change, CloudFormation sends all properties, with the task definition."""
    before = blue_green_service.described()
    assert blue_green_service.update({"ComputeServiceService": change}) == UNDONE
    reasons = blue_green_service.stack.failures()
    assert f"Unable to update {refused} {BY_CODEDEPLOY}" in reasons
    assert blue_green_service.described()["taskSets"] == before["taskSets"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"forceNewDeployment": True}, f"Cannot force a new deployment {BY_CODEDEPLOY}"),
        ({"platformVersion": "1.4.0"}, f"Unable to update platform version {BY_CODEDEPLOY}"),
        ({"networkConfiguration": {}}, f"Unable to update network parameters {BY_CODEDEPLOY}"),
        ({"loadBalancers": []}, f"Unable to update load balancers {BY_CODEDEPLOY}"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_changes_that_need_a_deployment_need_codedeploy(
    blue_green_service: BlueGreenService, given: dict[str, Any], words: str
) -> None:
    """pitfalls C1, C2: ECS's API rejects them too; only settings like the desired count may be updated."""
    ecs = blue_green_service.cloud.client("ecs")
    whole = {**given}
    if "networkConfiguration" in given:
        whole["networkConfiguration"] = blue_green_service.described()["networkConfiguration"]
    with pytest.raises(ClientError) as error:
        ecs.update_service(**blue_green_service.names, **whole)
    assert error.value.response["Error"]["Code"] == "InvalidParameterException"
    assert error.value.response["Error"]["Message"] == words
    ecs.update_service(**blue_green_service.names, desiredCount=2)


def test_a_changed_task_definition_in_the_template_is_not_deployed(
    blue_green_service: BlueGreenService,
) -> None:
    """pitfall C4: the service refers to the family, so only a release with taskdef.json changes it."""
    before = blue_green_service.served_definition()
    containers = deepcopy(blue_green_service.resources["ComputeTask"]["Properties"]["ContainerDefinitions"])
    containers[0]["Environment"].append({"Name": "COLOUR", "Value": "red"})
    change = {"ComputeTask": {"ContainerDefinitions": containers}}
    assert blue_green_service.update(change) == "UPDATE_COMPLETE"
    assert blue_green_service.served_definition() == before


@pytest.mark.parametrize(
    ("container", "port", "words"),
    [
        ("web", 8080, "The container web does not exist in the task definition."),
        ("app", 8081, "The container app did not have a container port 8081 defined."),
    ],
)
def test_an_appspec_names_the_container_and_the_port_of_the_task_definition(
    blue_green_service: BlueGreenService, container: str, port: int, words: str
) -> None:
    """pitfall B2: the template, taskdef.json and appspec.yaml use the same names."""
    ended = blue_green_service.release(container, port)
    assert ended["status"] == "Failed"
    assert words in ended["errorInformation"]["message"]
    assert blue_green_service.status() == 200


def test_a_release_swaps_the_target_groups(blue_green_service: BlueGreenService) -> None:
    """pitfalls B2, C9, N4: the synthesized service is released; then the listeners have both groups (C5)."""
    before = blue_green_service.served_definition()
    ended = blue_green_service.release()
    assert ended["status"] == "Succeeded", ended
    assert blue_green_service.served_definition() != before
    assert blue_green_service.status() == 200


def test_a_listener_that_cloudformation_rewrites_sends_its_traffic_to_an_empty_group(
    blue_green_service: BlueGreenService,
) -> None:
    """pitfall C5: users get 503 and the next deployment fails, until the listener is repaired."""
    weighted = {"TargetGroups": [{"TargetGroupArn": {"Ref": "NetworkBlue"}, "Weight": 100}]}
    change = {
        "NetworkLoadBalancerProduction": {"DefaultActions": [{"Type": "forward", "ForwardConfig": weighted}]}
    }
    assert blue_green_service.update(change) == "UPDATE_COMPLETE"
    assert blue_green_service.status() == 503
    ended = blue_green_service.release()
    assert ended["status"] == "Failed"
    words = "due to the following error: Primary taskset target group must be behind listener"
    assert f"The ELB could not be updated {words}" in ended["errorInformation"]["message"]

    account, suffix = blue_green_service.cloud.account, blue_green_service.stack.suffix
    traffic = listener_drift.inspect(suffix, account)
    assert [one.route for one in traffic.drifted] == ["production"]
    listener_drift.repair(traffic, account, print)
    assert blue_green_service.status() == 200
    assert blue_green_service.release()["status"] == "Succeeded"


def test_malformed_requests_raise_no_alarm_and_block_no_deployment(
    blue_green_service: BlueGreenService,
) -> None:
    """pitfall N9: HTTPCode_ELB_5XX_Count has the 501 that anybody can provoke, the alarms do not."""
    cloud = blue_green_service.cloud
    malformed = {"Transfer-Encoding": "gzip, chunked"}
    end = time.monotonic() + 60 * cloud.time_scale * MINUTES_OF_ALARMS
    statuses = set()
    while time.monotonic() < end:
        statuses.add(blue_green_service.status(malformed))
    assert statuses == {501}
    assert raised_alarms(cloud, blue_green_service.alarms()) == set()
    assert blue_green_service.release()["status"] == "Succeeded"


def test_a_service_without_a_task_notifies_and_blocks_no_deployment(
    blue_green_service: BlueGreenService,
) -> None:
    """pitfall N10: no alarm of the deployment group sees it, and none may: it would block the way out."""
    cloud, names = blue_green_service.cloud, blue_green_service.names
    alarm = blue_green_service.stack.physical_name("no-healthy-task-the-suffix")
    wait_for_alarm(cloud, alarm, "OK")
    cloud.client("ecs").update_service(**names, desiredCount=0)
    wait_for_alarm(cloud, alarm)
    assert raised_alarms(cloud, blue_green_service.alarms()) == set()
    assert alarm not in blue_green_service.alarms()
    assert blue_green_service.release()["status"] == "Succeeded"
    cloud.client("ecs").update_service(**names, desiredCount=2)
    wait_for_alarm(cloud, alarm, "OK")


def test_an_active_alarm_stops_a_deployment(blue_green_service: BlueGreenService) -> None:
    """pitfall N4: even the deployment with the fix, until its group ignores alarms (docs/operations.md)."""
    cloudwatch = blue_green_service.cloud.client("cloudwatch")
    (alarm, *_) = [one for one in blue_green_service.resources if one.endswith("GreenErrors")]
    name = blue_green_service.stack.physical_name(
        blue_green_service.resources[alarm]["Properties"]["AlarmName"]
    )
    (described_alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    given = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    declared_alarm = {key: described_alarm[key] for key in given if key in described_alarm}
    # A state that is only set lasts until the next evaluation: this makes each evaluation ALARM.
    cloudwatch.put_metric_alarm(**declared_alarm | {"Threshold": 0.0})
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="on purpose")
    ended = blue_green_service.release()
    assert ended["status"] == "Stopped"
    assert ended["errorInformation"]["code"] == "ALARM_ACTIVE"
    codedeploy = blue_green_service.cloud.client("codedeploy")
    group = {
        "applicationName": blue_green_service.group["applicationName"],
        "currentDeploymentGroupName": blue_green_service.group["deploymentGroupName"],
    }
    described = codedeploy.get_deployment_group(**blue_green_service.group)["deploymentGroupInfo"]
    codedeploy.update_deployment_group(**group, alarmConfiguration={"enabled": False})
    assert blue_green_service.release()["status"] == "Succeeded", "the alarm is still active"
    codedeploy.update_deployment_group(**group, alarmConfiguration=described["alarmConfiguration"])
    cloudwatch.put_metric_alarm(**declared_alarm)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test ended")


def test_a_service_before_its_listener_is_rejected(cloud: Cloud) -> None:
    """pitfall B7: the synthesized service depends on the listeners, across nested stacks."""
    resources = synthesized(cloud).part("ComputeTask", "ComputeServiceService")
    assert not [one for one in resources.values() if one["Type"].endswith("::Listener")]
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == "ROLLBACK_COMPLETE"
        assert "does not have an associated load balancer." in stack.failures()


def test_a_service_whose_repository_is_empty_never_becomes_stable(cloud: Cloud) -> None:
    """pitfall B1: the image of the synthesized first task definition exists without a push."""
    resources = service(cloud)
    (container,) = resources["ComputeTask"]["Properties"]["ContainerDefinitions"]
    resources |= synthesized(cloud).part("ComputeImages")
    container["Image"] = {"Fn::GetAtt": ["ComputeImages", "RepositoryUri"]}
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == "ROLLBACK_COMPLETE"
        reasons = stack.failures()
        assert "CannotPullContainerError" in reasons
        assert "not found" in reasons


def test_fargate_gives_a_task_at_most_two_minutes_to_stop(cloud: Cloud) -> None:
    """pitfall N2: the synthesized minute is longer than the deregistration delay, and within the limit."""
    resources = synthesized(cloud).part("ComputeTask")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    (container,) = resources["ComputeTask"]["Properties"]["ContainerDefinitions"]
    container["StopTimeout"] = 121
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == "ROLLBACK_COMPLETE"
        assert "The stopTimeout value must be between 2 and 120 seconds" in stack.failures()
