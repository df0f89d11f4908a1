"""The security groups, and the properties of the load balancer that must not change."""

from __future__ import annotations

import re

from tools.assembly import Resource
from unit_tests.infrastructure.synthesized import Templates, plain

TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"


def group(templates: Templates, begins: str) -> Resource:
    (found,) = [
        each
        for each in templates.resources("AWS::EC2::SecurityGroup")
        if each.properties["GroupDescription"].startswith(begins)
    ]
    return found


def test_tasks_run_in_private_subnets_in_two_zones_with_one_nat_gateway(templates: Templates) -> None:
    subnets = templates.resources("AWS::EC2::Subnet")
    zones = [subnet.properties["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets]
    assert sorted(zones) == [0, 0, 1, 1]
    assert not [subnet for subnet in subnets if subnet.properties["MapPublicIpOnLaunch"]]
    assert len(templates.resources("AWS::EC2::NatGateway")) == 1


def test_two_nat_gateways_can_be_configured(other: Templates) -> None:
    assert len(other.resources("AWS::EC2::NatGateway")) == 2


def test_each_part_of_the_vpc_has_a_name_tag_that_ends_in_the_suffix(other: Templates) -> None:
    """The CDK's default is the construct path, which is the same in every environment."""
    tags = {
        tag["Value"]: resource.type
        for resource in other.resources()
        for tag in resource.properties.get("Tags", [])
        if isinstance(tag, dict) and tag.get("Key") == "Name"
    }
    numbered = [
        ("AWS::EC2::Subnet", "public-subnet"),
        ("AWS::EC2::Subnet", "private-subnet"),
        ("AWS::EC2::RouteTable", "public-route-table"),
        ("AWS::EC2::RouteTable", "private-route-table"),
        ("AWS::EC2::EIP", "elastic-ip"),
        ("AWS::EC2::NatGateway", "nat-gateway"),
    ]
    assert tags == {
        "vpc-a-longer-one": "AWS::EC2::VPC",
        "internet-gateway-a-longer-one": "AWS::EC2::InternetGateway",
        "load-balancer-group-a-longer-one": "AWS::EC2::SecurityGroup",
        "service-group-a-longer-one": "AWS::EC2::SecurityGroup",
        "test-traffic-hook-group-a-longer-one": "AWS::EC2::SecurityGroup",
    } | {f"{name}-{number}-a-longer-one": type_ for type_, name in numbered for number in (1, 2)}


def test_no_lambda_restricts_the_default_security_group(templates: Templates) -> None:
    """It would log to a group that never expires and that no stack deletes (pitfall H1)."""
    assert not templates.resources("Custom::VpcRestrictDefaultSG")
    names = {each.properties["FunctionName"] for each in templates.resources("AWS::Lambda::Function")}
    assert names == {"artifacts-cleaner-dev", "settings-guard-dev", "test-traffic-hook-dev"}


def admitted(templates: Templates) -> list[tuple[str, int, int]]:
    """Return who may connect to which ports of the load balancer; a NAT gateway's address is its resource."""
    rules = group(templates, "The load balancer").properties["SecurityGroupIngress"]
    return [(plain(rule["CidrIp"]), rule["FromPort"], rule["ToPort"]) for rule in rules]


def nat_addresses(templates: Templates) -> list[str]:
    return [f"<{address.id}>/32" for address in templates.resources("AWS::EC2::EIP")]


def test_only_the_production_listener_is_public(templates: Templates) -> None:
    assert [port for cidr, port, _ in admitted(templates) if cidr == "0.0.0.0/0"] == [80]


def test_the_hook_reaches_the_test_listener_by_each_nat_gateway(
    templates: Templates, other: Templates
) -> None:
    for given, gateways, testers in ((templates, 1, []), (other, 2, ["203.0.113.0/24"])):
        assert len(nat_addresses(given)) == gateways
        assert [cidr for cidr, *ports in admitted(given) if ports == [8080, 8080]] == [
            *testers,
            *nat_addresses(given),
        ]


def test_the_hook_has_no_ingress_and_calls_the_test_listener_and_aws(templates: Templates) -> None:
    rules = group(templates, "The gate before traffic").properties
    assert "SecurityGroupIngress" not in rules
    assert [(rule["FromPort"], rule["ToPort"]) for rule in rules["SecurityGroupEgress"]] == [
        (8080, 8080),
        (443, 443),
    ]


def test_descriptions_of_security_groups_have_the_characters_that_ec2_allows(templates: Templates) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"""
    allowed = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
    for each in templates.resources("AWS::EC2::SecurityGroup"):
        rules = [
            rule
            for direction in ("Ingress", "Egress")
            for rule in each.properties.get(f"SecurityGroup{direction}", [])
        ]
        for text in [each.properties["GroupDescription"], *(rule["Description"] for rule in rules)]:
            assert allowed.fullmatch(text), text


def test_testers_reach_the_test_listener_from_the_configured_network(other: Templates) -> None:
    assert ("203.0.113.0/24", 8080, 8080) in admitted(other)


def test_only_the_load_balancer_reaches_the_tasks(templates: Templates) -> None:
    balancer, service = group(templates, "The load balancer"), group(templates, "The tasks")
    assert "SecurityGroupIngress" not in service.properties
    rule = templates.only("AWS::EC2::SecurityGroupIngress").properties
    assert plain(rule["GroupId"]) == f"<{service.id}.GroupId>"
    assert plain(rule["SourceSecurityGroupId"]) == f"<{balancer.id}.GroupId>"
    assert (rule["FromPort"], rule["ToPort"]) == (8080, 8080)


def test_no_security_group_rule_is_in_another_stack_than_its_groups(templates: Templates) -> None:
    """A rule across nested stacks makes a cycle (pitfall J3)."""
    for kind in ("Ingress", "Egress"):
        assert {rule.stack for rule in templates.resources(f"AWS::EC2::SecurityGroup{kind}")} == {"network"}


def test_the_idle_timeout_is_shorter_than_that_of_gunicorn_and_deletion_is_allowed(
    templates: Templates,
) -> None:
    balancer = templates.only("AWS::ElasticLoadBalancingV2::LoadBalancer").properties
    attributes = {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}
    assert attributes["idle_timeout.timeout_seconds"] == "60"
    assert attributes["deletion_protection.enabled"] == "false"
    assert balancer["Name"] == "load-balancer-dev"


def test_the_properties_of_the_target_groups_are_unchanged(templates: Templates) -> None:
    """A changed property replaces the group, which ECS rejects (pitfall C6)."""
    for colour in ("blue", "green"):
        name = f"target-group-{colour}-dev"
        properties = dict(templates.only(TARGET_GROUP, Name=name).properties)
        attributes = {each["Key"]: each["Value"] for each in properties.pop("TargetGroupAttributes")}
        assert attributes == {"deregistration_delay.timeout_seconds": "30", "stickiness.enabled": "false"}
        assert str(plain(properties.pop("VpcId"))).startswith("<Vpc")
        properties.pop("Tags")
        assert properties == {
            "Name": name,
            "Port": 8080,
            "Protocol": "HTTP",
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 4,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            "Matcher": {"HttpCode": "200"},
        }


def test_the_properties_of_the_listeners_are_unchanged(templates: Templates) -> None:
    """A change would send traffic to an empty target group (pitfall C5): change this test deliberately."""
    for port, colour in ((80, "blue"), (8080, "green")):
        target = templates.only(TARGET_GROUP, Name=f"target-group-{colour}-dev")
        properties = dict(templates.only(LISTENER, Port=port).properties)
        assert str(plain(properties.pop("LoadBalancerArn"))).startswith("<LoadBalancer")
        properties.pop("Tags")
        assert plain(properties) == {
            "Port": port,
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": f"<{target.id}>"}],
        }


def test_with_a_certificate_the_production_listener_is_https_and_as_unchanged(other: Templates) -> None:
    """So is its policy: a change would send traffic to an empty target group (pitfall C5)."""
    target = other.only(TARGET_GROUP, Name="target-group-blue-a-longer-one")
    properties = dict(other.only(LISTENER, Port=443).properties)
    properties.pop("LoadBalancerArn"), properties.pop("Tags")
    (certificate,) = properties.pop("Certificates")
    assert certificate["CertificateArn"].startswith("arn:aws:acm:us-east-1:123456789012:certificate/")
    assert plain(properties) == {
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": f"<{target.id}>"}],
    }


def test_with_a_certificate_port_80_redirects_permanently(other: Templates) -> None:
    redirect = other.only(LISTENER, Port=80)
    (action,) = redirect.properties["DefaultActions"]
    assert action == {
        "Type": "redirect",
        "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
    }
    # A port has one listener, also while a certificate is added to an environment.
    assert other.only(LISTENER, Port=443).id in redirect.depends_on


def test_codedeploy_shifts_the_production_listener(templates: Templates, other: Templates) -> None:
    for given, port in ((templates, 80), (other, 443)):
        group = given.only("AWS::CodeDeploy::DeploymentGroup").properties
        (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
        (arn,) = pair["ProdTrafficRoute"]["ListenerArns"]
        # Its name without the hash: it comes from another nested stack.
        assert given.only(LISTENER, Port=port).id[:-8] in str(arn)


def test_each_listener_is_deleted_before_either_target_group(templates: Templates, other: Templates) -> None:
    """After a release both listeners refer to both groups (pitfall I1)."""
    for given in (templates, other):
        groups = {target.id for target in given.resources(TARGET_GROUP)}
        assert len(groups) == 2
        routes = [one for one in given.resources(LISTENER) if "forward" in str(one.properties)]
        assert len(routes) == 2
        for listener in routes:
            assert groups <= listener.depends_on
