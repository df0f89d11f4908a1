"""Requests that ELBv2 refuses for what they refer to, or for their limits."""

from typing import Any

import pytest

from local_aws.ministack import elbv2_rules
from local_aws.services.elbv2.records import ElbSnapshot
from unit_tests.local_aws.services.elbv2.control_plane import (
    Refused,
    balancer,
    call,
    forward,
    group,
    listener,
)

PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
ONE_ERROR = "ValidationError: 1 validation error detected: Value "


def paths(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"Subnets": ["subnet-1", "subnet-9"]}, "SubnetNotFound: The subnet ID 'subnet-9' does not exist"),
        (
            {"Subnets": ["subnet-1"]},
            "At least two subnets in two different Availability Zones",
        ),
        (
            {"SubnetMappings": [{"SubnetId": "subnet-1"}], "Subnets": []},
            "ValidationError: At least two subnets",
        ),
        (
            {"Subnets": ["subnet-1", "subnet-2", "subnet-4"]},
            "InvalidConfigurationRequest: A load balancer cannot be attached to multiple subnets in the same",
        ),
        (
            {"Subnets": ["subnet-1", "subnet-3"]},
            "InvalidConfigurationRequest: Subnet 'subnet-3' does not belong to VPC 'vpc-1'",
        ),
        ({"SecurityGroups": ["sg-9"]}, "InvalidSecurityGroup: The security group 'sg-9' does not exist"),
        (
            {"SecurityGroups": ["sg-2"]},
            "InvalidConfigurationRequest: Security group 'sg-2' does not belong to VPC 'vpc-1'",
        ),
        ({"Scheme": "public"}, ONE_ERROR + "'public' at 'scheme' failed to satisfy constraint"),
        ({"IpAddressType": "ipv9"}, ONE_ERROR + "'ipv9' at 'ipAddressType' failed to satisfy constraint"),
        ({"IpAddressType": "dualstack"}, "UnsupportedOperation: .*dualstack"),
        ({"Name": "lb", "Scheme": "internal"}, "DuplicateLoadBalancerName: "),
    ],
)
def test_a_load_balancer_is_refused(seen: list[ElbSnapshot], given: dict[str, Any], refusal: str) -> None:
    balancer()
    defaults = {"Name": "new", "Subnets": ["subnet-1", "subnet-2"]}
    with pytest.raises(Refused, match=refusal):
        call("CreateLoadBalancer", **{**defaults, **given})
    assert len(call("DescribeLoadBalancers")["LoadBalancers"]) == 1


def test_the_same_load_balancer_is_created_once(seen: list[ElbSnapshot]) -> None:
    assert balancer() == balancer()
    assert len(call("DescribeLoadBalancers")["LoadBalancers"]) == 1


@pytest.mark.parametrize(
    ("operation", "given", "refusal"),
    [
        ("SetSecurityGroups", {"SecurityGroups": ["sg-9"]}, "InvalidSecurityGroup: "),
        ("SetSubnets", {"Subnets": ["subnet-1", "subnet-9"]}, "SubnetNotFound: "),
        ("SetSubnets", {"Subnets": ["subnet-1"]}, "ValidationError: At least two subnets"),
    ],
)
def test_a_load_balancer_cannot_be_moved_to_a_network_that_does_not_fit(
    seen: list[ElbSnapshot], operation: str, given: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(Refused, match=refusal):
        call(operation, LoadBalancerArn=balancer(), **given)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"Conditions": []}, ONE_ERROR + "null at 'conditions' .* must not be null"),
        ({"Conditions": [paths("/a b")]}, "The 'path-pattern' value contains invalid characters"),
        ({"Conditions": [paths("/a"), paths("/b")]}, "A rule can only have one 'path-pattern' condition"),
        ({"Conditions": [header("bad name", "a")]}, "'bad name' is not a header's name"),
        ({"Conditions": [header("Host", "a")]}, "Use a 'host-header' condition"),
        ({"Priority": 0}, ONE_ERROR + "'0' at 'priority' .* greater than or equal to 1"),
        ({"Priority": 50001}, ONE_ERROR + "'50001' at 'priority' .* less than or equal to 50000"),
        ({"Conditions": [paths("x" * 129)]}, "The 'path-pattern' value is too long; the limit is '128'"),
        ({"Conditions": [paths(*"abcdef")]}, "ValidationError: A rule can only have '5' condition values"),
        ({"Conditions": [paths(*"abc"), header("a", *"abc")]}, "A rule can only have '5' condition values"),
        ({"Conditions": [{"Field": "path-pattern"}]}, "ValidationError: A condition value must be specified"),
        (
            {"Conditions": [{"Field": "host-header", "Values": ["a", "b"]}]},
            "too many values; the limit is '1'",
        ),
        (
            {"Conditions": [{"Field": "http-header"}]},
            "A 'HttpHeaderConfig' must be specified with 'http-header'",
        ),
        (
            {"Conditions": [header("x" * 41, "a")]},
            "The 'HttpHeaderName' value is too long; the limit is '40'",
        ),
        ({"Conditions": [{"Field": "cookie", "Values": ["a"]}]}, "Condition field 'cookie' must be one of"),
    ],
)
def test_a_rule_is_refused(seen: list[ElbSnapshot], given: dict[str, Any], refusal: str) -> None:
    blue = group("blue")
    arn = listener(balancer(), forward(**{blue: 1}))
    defaults = {"ListenerArn": arn, "Priority": 1, "Conditions": [PATH], "Actions": forward(**{blue: 1})}
    with pytest.raises(Refused, match=refusal):
        call("CreateRule", **{**defaults, **given})
    assert len(seen[-1].listeners[arn].rules) == 1
    call("CreateRule", **defaults)


@pytest.mark.parametrize(
    ("target", "refusal"),
    [
        ({"Id": "8.8.8.8"}, "ValidationError: The IP address '8.8.8.8' is publicly routable"),
        ({"Id": "10.0.0.1", "Port": 0}, ONE_ERROR + "'0' at 'targets.1.member.port' failed"),
        ({"Id": "10.0.0.1", "Port": 65536}, ONE_ERROR + "'65536' at 'targets.1.member.port' failed"),
    ],
)
def test_a_target_is_refused(seen: list[ElbSnapshot], target: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        call("RegisterTargets", TargetGroupArn=group("blue"), Targets=[target])


def test_a_target_group_of_no_vpc_is_refused(seen: list[ElbSnapshot]) -> None:
    with pytest.raises(Refused, match="ValidationError: The VPC ID 'vpc-9' is not found"):
        group("blue", VpcId="vpc-9")


@pytest.mark.parametrize("operation", ["DescribeListeners", "DescribeRules"])
def test_a_list_needs_its_owner_or_arns(seen: list[ElbSnapshot], operation: str) -> None:
    with pytest.raises(Refused, match="ValidationError: You must specify either listener"):
        call(operation)


def test_a_list_has_the_pages_that_are_asked_for(seen: list[ElbSnapshot]) -> None:
    names = ["blue", "green", "red"]
    for name in names:
        group(name)
    first = call("DescribeTargetGroups", PageSize=2)
    rest = call("DescribeTargetGroups", PageSize=2, Marker=first["NextMarker"])
    assert [each["TargetGroupName"] for each in (*first["TargetGroups"], *rest["TargetGroups"])] == names
    assert "NextMarker" not in rest
    with pytest.raises(Refused, match=ONE_ERROR + "'401' at 'pageSize'"):
        call("DescribeTargetGroups", PageSize=401)
    with pytest.raises(Refused, match="ValidationError: Marker 'zz' is not valid"):
        call("DescribeTargetGroups", Marker="zz")


INVALID_ACTION = "InvalidLoadBalancerAction: "
PERMANENT = {"StatusCode": "HTTP_301"}


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        ({"Type": "redirect"}, INVALID_ACTION + "For actions of type 'redirect', you must specify"),
        ({"Type": "redirect", "RedirectConfig": PERMANENT}, INVALID_ACTION + ".*creates a loop"),
        (
            {"Type": "redirect", "RedirectConfig": {**PERMANENT, "Protocol": "HTTP", "Port": "80"}},
            INVALID_ACTION + ".*creates a loop",
        ),
        (
            {"Type": "redirect", "RedirectConfig": {**PERMANENT, "Port": "0"}},
            "Redirect port '0' must be between '1' and '65535'",
        ),
        (
            {"Type": "redirect", "RedirectConfig": {**PERMANENT, "Path": "new"}},
            "Redirect path 'new' must begin with a '/'",
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "zz"}},
            "Content type 'zz' must be one of",
        ),
    ],
)
def test_an_action_is_refused(seen: list[ElbSnapshot], action: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        listener(balancer(), [action])


def test_a_redirect_that_changes_something_is_accepted(seen: list[ElbSnapshot]) -> None:
    assert listener(balancer(), [{"Type": "redirect", "RedirectConfig": {**PERMANENT, "Path": "/new"}}])


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"HealthCheckPath": "health"}, "Health check path 'health' must begin with a '/'"),
        ({"HealthCheckPort": "70000"}, "Health check port '70000' must be"),
        ({"HealthCheckProtocol": "TCP"}, "Health check protocol 'TCP' must be one of"),
        ({"Matcher": {"HttpCode": "600"}}, "HTTP code '600' must be within '200-499' inclusive"),
        ({"Matcher": {"HttpCode": "299-200"}}, "HTTP code '299-200' must be within"),
        ({"Matcher": {"HttpCode": "ok"}}, "HTTP codes 'ok' must be like"),
        ({"ProtocolVersion": "HTTP9"}, "Protocol version 'HTTP9' must be one of"),
    ],
)
def test_a_health_check_is_refused(seen: list[ElbSnapshot], given: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Refused, match=f"ValidationError: .*{refusal}"):
        group("blue", **given)


@pytest.mark.parametrize(
    ("operation", "key", "value"),
    [
        ("ModifyLoadBalancerAttributes", "deletion_protection.enabled", "maybe"),
        ("ModifyLoadBalancerAttributes", "routing.http.desync_mitigation_mode", "strict"),
        ("ModifyLoadBalancerAttributes", "client_keep_alive.seconds", "1"),
        ("ModifyTargetGroupAttributes", "stickiness.type", "cookie"),
    ],
)
def test_a_value_of_an_attribute_is_refused(
    seen: list[ElbSnapshot], operation: str, key: str, value: str
) -> None:
    owner = {"LoadBalancerArn": balancer()} if "Balancer" in operation else {"TargetGroupArn": group("blue")}
    with pytest.raises(Refused, match=f"ValidationError: '{key}' must be"):
        call(operation, **owner, Attributes=[{"Key": key, "Value": value}])


def test_a_hundred_rules_are_the_quota_of_a_load_balancer(
    seen: list[ElbSnapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elbv2_rules, "RULES", 1)
    arn = listener(balancer(), forward(**{group("blue"): 1}))
    rule = {"ListenerArn": arn, "Conditions": [PATH], "Actions": forward(**{group("green"): 1})}
    call("CreateRule", Priority=1, **rule)
    with pytest.raises(Refused, match="TooManyRules: "):
        call("CreateRule", Priority=2, **rule)
