"""MiniStack's ELBv2 behind the adapter: what it stores, and what it refuses."""

from typing import Any

import pytest

from local_aws.services.elbv2.records import ElbSnapshot, Target
from local_aws.services.elbv2.routing import weights
from unit_tests.local_aws.services.elbv2.control_plane import (
    Refused,
    balancer,
    call,
    forward,
    group,
    listener,
)


def test_weights_are_stored_described_and_applied_to_the_data_plane(seen: list[ElbSnapshot]) -> None:
    blue, green = group("blue"), group("green")
    arn = listener(balancer(), forward(**{blue: 100, green: 0}))
    call("ModifyListener", ListenerArn=arn, DefaultActions=forward(**{blue: 90, green: 10}))
    action = call("DescribeListeners", ListenerArns=[arn])["Listeners"][0]["DefaultActions"][0]
    assert weights(action) == [(blue, 90), (green, 10)]
    assert "TargetGroupArn" not in action
    rule = call("DescribeRules", ListenerArn=arn)["Rules"][0]
    assert weights(rule["Actions"][0]) == [(blue, 90), (green, 10)]
    assert weights(seen[-1].listeners[arn].rules[-1].action) == [(blue, 90), (green, 10)]


def test_one_target_group_is_described_in_both_forms_as_on_aws(seen: list[ElbSnapshot]) -> None:
    blue = group("blue")
    arn = listener(balancer(), [{"Type": "forward", "TargetGroupArn": blue}])
    action = call("DescribeListeners", ListenerArns=[arn])["Listeners"][0]["DefaultActions"][0]
    assert action["TargetGroupArn"] == blue
    assert weights(action) == [(blue, 1)]


def test_a_target_group_in_use_cannot_be_deleted(seen: list[ElbSnapshot]) -> None:
    """Pitfall I1: a group at weight 0 is in use too."""
    blue, green = group("blue"), group("green")
    arn = listener(balancer(), forward(**{blue: 100, green: 0}))
    with pytest.raises(
        Refused, match=f"ResourceInUse: Target group '{green}' is currently in use by a listener"
    ):
        call("DeleteTargetGroup", TargetGroupArn=green)
    call("DeleteListener", ListenerArn=arn)
    call("DeleteTargetGroup", TargetGroupArn=green)
    assert green not in seen[-1].target_groups


def test_deleting_a_load_balancer_deletes_its_listeners(seen: list[ElbSnapshot]) -> None:
    blue, owner = group("blue"), balancer()
    listener(owner, forward(**{blue: 1}))
    assert seen[-1].target_groups[blue].load_balancer == owner
    call("DeleteLoadBalancer", LoadBalancerArn=owner)
    assert seen[-1].listeners == {}
    assert seen[-1].target_groups[blue].load_balancer is None


def test_settings_of_a_target_group_reach_the_data_plane(seen: list[ElbSnapshot]) -> None:
    arn = group("blue", HealthCheckPath="/health", HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    call("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=[delay])
    call(
        "RegisterTargets",
        TargetGroupArn=arn,
        Targets=[{"Id": "127.0.9.1"}, {"Id": "127.0.9.1", "Port": 9000}],
    )
    record = seen[-1].target_groups[arn]
    assert (record.health_check.path, record.health_check.interval) == ("/health", 10)
    assert record.deregistration_delay == 30
    assert record.targets == (Target("127.0.9.1", 8080), Target("127.0.9.1", 9000))
    call("DeregisterTargets", TargetGroupArn=arn, Targets=[{"Id": "127.0.9.1", "Port": 9000}])
    assert seen[-1].target_groups[arn].targets == (Target("127.0.9.1", 8080),)


def test_target_health_comes_from_the_data_plane_and_not_from_ministack(
    seen: list[ElbSnapshot],
) -> None:
    described = call("DescribeTargetHealth", TargetGroupArn=group("blue"))["TargetHealthDescriptions"]
    assert described == [
        {
            "Target": {"Id": "127.0.9.1", "Port": 8080},
            "HealthCheckPort": "8080",
            "TargetHealth": {"State": "draining"},
        }
    ]


def test_the_idle_timeout_reaches_the_data_plane(seen: list[ElbSnapshot]) -> None:
    owner = balancer()
    arn = listener(owner, forward(**{group("blue"): 1}))
    idle = {"Key": "idle_timeout.timeout_seconds", "Value": "5"}
    call("ModifyLoadBalancerAttributes", LoadBalancerArn=owner, Attributes=[idle])
    assert seen[-1].listeners[arn].idle_timeout == 5


@pytest.mark.parametrize(
    ("operation", "given", "refusal"),
    [
        ("CreateTargetGroup", {"Name": "t" * 33}, "ValidationError: .*cannot be longer than '32' characters"),
        ("CreateTargetGroup", {"Name": "-t"}, "ValidationError: .*cannot begin or end with"),
        ("CreateTargetGroup", {"Protocol": "TCP"}, "UnsupportedOperation: .*TCP"),
        ("CreateTargetGroup", {"TargetType": "instance"}, "UnsupportedOperation: .*instance"),
        (
            "CreateTargetGroup",
            {"HealthCheckTimeoutSeconds": 30},
            "ValidationError: .*smaller than the interval",
        ),
        (
            "CreateLoadBalancer",
            {"Name": "l" * 33},
            "ValidationError: .*cannot be longer than '32' characters",
        ),
        ("CreateLoadBalancer", {"Type": "network"}, "UnsupportedOperation: .*network"),
        ("CreateLoadBalancer", {"Subnets": ["subnet-1"]}, "ValidationError: At least two subnets"),
        ("CreateListener", {"Protocol": "TLS"}, "ValidationError: Listener protocol 'TLS' must be one of"),
        (
            "CreateListener",
            {"Protocol": "HTTPS"},
            "ValidationError: A certificate must be specified for HTTPS",
        ),
        ("CreateListener", {"Port": 80}, "DuplicateListener: "),
        ("CreateListener", {"DefaultActions": forward(gone=1)}, "TargetGroupNotFound: "),
        (
            "CreateListener",
            {"DefaultActions": [{"Type": "authenticate-cognito"}]},
            "UnsupportedOperation: .*authenticate-cognito",
        ),
        (
            "DescribeListeners",
            {"ListenerArns": ["gone"]},
            "ValidationError: 'gone' is not a valid listener ARN",
        ),
        ("DescribeTargetGroups", {"Names": ["gone"]}, "TargetGroupNotFound: "),
        ("RegisterTargets", {"Targets": [{"Id": "i-0123"}]}, "ValidationError: .*i-0123"),
        (
            "ModifyTargetGroupAttributes",
            {"Attributes": [{"Key": "deregistration.delay", "Value": "1"}]},
            "ValidationError: .*is not recognized",
        ),
        (
            "ModifyTargetGroupAttributes",
            {"Attributes": [{"Key": "stickiness.enabled", "Value": "true"}]},
            "UnsupportedOperation: .*stickiness",
        ),
    ],
)
def test_a_request_that_aws_or_local_aws_does_not_support_is_refused(
    seen: list[ElbSnapshot], operation: str, given: dict[str, Any], refusal: str
) -> None:
    owner, blue = balancer(), group("blue")
    listener(owner, forward(**{blue: 1}))
    defaults: dict[str, dict[str, Any]] = {
        "CreateTargetGroup": {
            "Name": "new",
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": "vpc-1",
            "TargetType": "ip",
        },
        "CreateLoadBalancer": {"Name": "new", "Subnets": ["subnet-1", "subnet-2"]},
        "CreateListener": {
            "LoadBalancerArn": owner,
            "Port": 81,
            "Protocol": "HTTP",
            "DefaultActions": forward(**{blue: 1}),
        },
        "RegisterTargets": {"TargetGroupArn": blue},
        "ModifyTargetGroupAttributes": {"TargetGroupArn": blue},
    }
    before = len(seen)
    with pytest.raises(Refused, match=refusal):
        call(operation, **{**defaults.get(operation, {}), **given})
    assert len(seen) == before


def test_the_same_requests_pass_when_they_are_valid(seen: list[ElbSnapshot]) -> None:
    """Negative control of the refusals."""
    owner, blue = balancer(), group("t" * 32)
    listener(owner, forward(**{blue: 1}))
    listener(owner, forward(**{blue: 1}), port=81)
    assert len(seen[-1].listeners) == 2


def test_rules_reach_the_data_plane_in_order_with_the_default_last(seen: list[ElbSnapshot]) -> None:
    blue = group("blue")
    arn = listener(balancer(), forward(**{blue: 1}))
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "x"}}]
    for priority, path in ((20, "/b"), (5, "/a")):
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}
        call("CreateRule", ListenerArn=arn, Priority=priority, Conditions=[condition], Actions=fixed)
    rules = seen[-1].listeners[arn].rules
    assert [rule.conditions[0]["Values"] for rule in rules[:-1]] == [["/a"], ["/b"]]
    assert rules[-1].conditions == ()
    condition = {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}
    with pytest.raises(Refused, match=r"UnsupportedOperation: .*source-ip"):
        call("CreateRule", ListenerArn=arn, Priority=1, Conditions=[condition], Actions=fixed)
