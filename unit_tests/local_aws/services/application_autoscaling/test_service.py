"""Application Auto Scaling of a running server: targets, policies, their alarms, and what they scale."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud, template
from unit_tests.local_aws.services.application_autoscaling.calls import (
    TRACKING,
    alarms,
    desired,
    key,
    load,
    put_policy,
    register,
    service,
)

ROLE = "AWSServiceRoleForApplicationAutoScaling_ECSService"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A server on which a minute of CloudWatch takes half of that of the others."""
    server = start(tmp_path_factory.mktemp("state"), time_scale=0.01)
    yield Cloud(server)
    assert server.stop() == []


def test_a_load_scales_out_at_once_as_far_as_it_needs_and_its_end_back_in(cloud: Cloud) -> None:
    service(cloud, "load")
    register(cloud, "load", MinCapacity=1, MaxCapacity=4)
    put_policy(cloud, "load")
    assert load(cloud, "load", 25.0, lambda: desired(cloud, "load") > 1)
    # A metric of one's own does not fall as tasks are added, so this ends at the maximum.
    assert load(cloud, "load", 25.0, lambda: desired(cloud, "load") == 4)
    assert load(cloud, "load", 0.0, lambda: desired(cloud, "load") == 1, 60.0)
    scaling = cloud.client("application-autoscaling")
    activities = scaling.describe_scaling_activities(
        ServiceNamespace="ecs", ResourceId=key("load")["ResourceId"]
    )
    last, *_, first = activities["ScalingActivities"]
    assert first["Description"] == "Setting desired count to 3."
    assert "AlarmHigh" in first["Cause"]
    assert last["Description"] == "Setting desired count to 1."
    assert "AlarmLow" in last["Cause"]
    assert "in state ALARM triggered policy policy-load" in last["Cause"]


def test_nothing_scales_while_it_is_suspended_and_it_does_once_resumed(cloud: Cloud) -> None:
    service(cloud, "held")
    register(cloud, "held", MinCapacity=1, MaxCapacity=4)
    put_policy(cloud, "held")
    both = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    register(cloud, "held", SuspendedState=dict.fromkeys(both, True))

    def in_alarm() -> bool:
        return any(
            one["StateValue"] == "ALARM" for one in alarms(cloud, "held") if "High" in one["AlarmName"]
        )

    assert load(cloud, "held", 25.0, in_alarm)
    assert not load(cloud, "held", 25.0, lambda: desired(cloud, "held") != 1, 3.0)
    (target,) = cloud.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[key("held")["ResourceId"]]
    )["ScalableTargets"]
    assert target["SuspendedState"] == dict.fromkeys(both, True)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    register(cloud, "held", SuspendedState=dict.fromkeys(both, False))
    assert load(cloud, "held", 25.0, lambda: desired(cloud, "held") > 1)


def test_in_a_cooldown_only_a_larger_scale_out_goes_on(cloud: Cloud) -> None:
    service(cloud, "cooling")
    register(cloud, "cooling", MinCapacity=1, MaxCapacity=10)
    put_policy(cloud, "cooling", ScaleOutCooldown=3600)
    assert load(cloud, "cooling", 25.0, lambda: desired(cloud, "cooling") == 3)
    assert not load(cloud, "cooling", 25.0, lambda: desired(cloud, "cooling") != 3, 4.0)
    assert load(cloud, "cooling", 55.0, lambda: desired(cloud, "cooling") == 6)


def test_capacities_apply_at_once(cloud: Cloud) -> None:
    service(cloud, "limits", count=0)
    register(cloud, "limits", MinCapacity=2, MaxCapacity=4)
    assert desired(cloud, "limits") == 2
    register(cloud, "limits", MinCapacity=0, MaxCapacity=1)
    assert desired(cloud, "limits") == 1
    found = cloud.client("application-autoscaling").describe_scaling_activities(
        ServiceNamespace="ecs", ResourceId=key("limits")["ResourceId"]
    )["ScalingActivities"]
    assert [one["Cause"] for one in found] == [
        "maximum capacity was set to 1",
        "minimum capacity was set to 2",
    ]


def test_a_policy_has_two_alarms_which_end_with_it(cloud: Cloud) -> None:
    service(cloud, "alarms", count=0)
    register(cloud, "alarms", MinCapacity=0, MaxCapacity=4)
    scaling = cloud.client("application-autoscaling")
    cpu = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    for target in (50.0, 60.0):
        configuration = {"TargetValue": target, "PredefinedMetricSpecification": cpu}
        made = scaling.put_scaling_policy(
            **key("alarms"),
            **TRACKING,
            PolicyName="cpu",
            TargetTrackingScalingPolicyConfiguration=configuration,
        )
    high, low = sorted(alarms(cloud, "alarms"), key=lambda one: str(one["AlarmName"]))
    assert {one["AlarmName"] for one in made["Alarms"]} == {high["AlarmName"], low["AlarmName"]}
    assert (high["Threshold"], high["EvaluationPeriods"]) == (60.0, 3)
    assert (low["Threshold"], low["EvaluationPeriods"]) == (54.0, 15)
    assert high["AlarmActions"] == [made["PolicyARN"]]
    assert (high["Namespace"], high["MetricName"]) == ("AWS/ECS", "CPUUtilization")
    scaling.delete_scaling_policy(**key("alarms"), PolicyName="cpu")
    assert alarms(cloud, "alarms") == []


def test_deregistering_deletes_the_policies_and_their_alarms(cloud: Cloud) -> None:
    service(cloud, "gone", count=0)
    register(cloud, "gone", MinCapacity=0, MaxCapacity=4)
    put_policy(cloud, "gone")
    scaling = cloud.client("application-autoscaling")
    scaling.deregister_scalable_target(**key("gone"))
    assert alarms(cloud, "gone") == []
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=key("gone")["ResourceId"])
    assert found["ScalingPolicies"] == []


def test_a_stack_creates_updates_and_deletes_them(cloud: Cloud) -> None:
    service(cloud, "stack", count=0)
    target = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        **key("stack"),
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "Tags": [{"Key": "service", "Value": "greeter"}],
    }
    policy = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "PolicyName": "policy-stack",
        **TRACKING,
        "ScalingTargetId": {"Ref": "T"},
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 60,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    }
    assert cloud.create("scaling", template(T=target, P=policy)) == "CREATE_COMPLETE"
    assert desired(cloud, "stack") == 1
    assert len(alarms(cloud, "stack")) == 2
    scaling = cloud.client("application-autoscaling")
    suspended = {"DynamicScalingInSuspended": True}
    scaling.register_scalable_target(**key("stack"), SuspendedState=suspended)
    changed = template(T={**target, "MaxCapacity": 5}, P=policy)
    cloud.client("cloudformation").update_stack(StackName="scaling", TemplateBody=changed)
    assert cloud.settled("scaling") == "UPDATE_COMPLETE"
    (found,) = scaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[key("stack")["ResourceId"]]
    )["ScalableTargets"]
    assert found["MaxCapacity"] == 5
    tags = scaling.list_tags_for_resource(ResourceARN=found["ScalableTargetARN"])["Tags"]
    assert tags["service"] == "greeter"
    assert found["SuspendedState"]["DynamicScalingInSuspended"], "a deployment resumed it"
    assert cloud.delete("scaling") == "DELETE_COMPLETE"
    assert alarms(cloud, "stack") == []


def test_the_first_target_creates_the_service_linked_role(cloud: Cloud) -> None:
    service(cloud, "linked", count=0)
    register(cloud, "linked", MinCapacity=0, MaxCapacity=1)
    path = "/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    roles = cloud.client("iam").list_roles(PathPrefix=path)["Roles"]
    assert [one["RoleName"] for one in roles] == [ROLE]
