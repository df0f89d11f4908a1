"""What Application Auto Scaling refuses: callers without permissions for the service, and wrong calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.iam.test_enforcement import acting, allow, client, role
from unit_tests.local_aws.services.application_autoscaling.calls import key, put_policy, register, service


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_registering_needs_the_callers_own_permissions_for_the_service(cloud: Cloud) -> None:
    """Even to suspend scaling only (pitfall C12)."""
    service(cloud, "whose", count=0)
    register(cloud, "whose", MinCapacity=0, MaxCapacity=4)
    targets = "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/*"
    only_ecs = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    may_register = allow("application-autoscaling:RegisterScalableTarget", targets, Condition=only_ecs)
    of_the_service = "arn:aws:ecs:us-east-1:123456789012:service/cluster-whose/service-whose"
    described = allow("ecs:DescribeServices", of_the_service)

    def suspend(name: str, *statements: dict[str, object]) -> None:
        session = acting(cloud, role(cloud, name, *statements))
        state = {"DynamicScalingInSuspended": True}
        client(cloud, session, "application-autoscaling").register_scalable_target(
            **key("whose"), SuspendedState=state
        )

    assert "not authorized to perform: application-autoscaling:RegisterScalableTarget" in refusal(
        lambda: suspend("whose-none", described)
    )
    assert refusal(lambda: suspend("whose-half", may_register, described)) == (
        "ValidationException: User is missing the following permissions: ecs:UpdateService"
    )
    suspend("whose-all", may_register, described, allow("ecs:UpdateService", of_the_service))


def test_what_aws_refuses_is_refused_in_its_words(cloud: Cloud) -> None:
    service(cloud, "refused", count=0)
    scaling = cloud.client("application-autoscaling")
    missing = (
        "service namespace: ecs, resource ID: service/cluster-refused/service-refused, scalable dimension"
    )
    both = {"MinCapacity": 1, "MaxCapacity": 2}
    assert refusal(lambda: register(cloud, "nothing", **both)) == (
        "ValidationException: ECS service doesn't exist: service/cluster-nothing/service-nothing"
    )
    assert refusal(lambda: put_policy(cloud, "refused")).startswith(
        f"ObjectNotFoundException: No scalable target registered for {missing}"
    )
    assert refusal(lambda: scaling.deregister_scalable_target(**key("refused"))).startswith(
        f"ObjectNotFoundException: No scalable target found for {missing}"
    )
    assert refusal(lambda: register(cloud, "refused", MinCapacity=3, MaxCapacity=2)) == (
        "ValidationException: Maximum capacity cannot be less than minimum capacity"
    )
    assert refusal(lambda: register(cloud, "refused")).startswith("ValidationException: ")
    register(cloud, "refused", MinCapacity=0, MaxCapacity=1)
    other = {**key("refused"), "ResourceId": "cluster-refused/service-refused"}
    assert refusal(lambda: scaling.register_scalable_target(**other, **both)) == (
        "ValidationException: Unsupported service namespace, resource type or scalable dimension"
    )
    step = {"PolicyType": "StepScaling", "PolicyName": "step"}
    assert refusal(lambda: scaling.put_scaling_policy(**key("refused"), **step)) == (
        "UnsupportedOperation: local_aws does not implement PolicyType StepScaling"
    )
    assert "No scaling policy found for" in refusal(
        lambda: scaling.delete_scaling_policy(**key("refused"), PolicyName="none")
    )
