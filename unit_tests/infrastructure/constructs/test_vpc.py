"""The VPC that the app creates: its addresses, its default security group, its endpoint and its flow log."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest

from unit_tests.infrastructure.synthesized import Templates, plain, role, statements, templates_of

# AWS keeps five addresses of each subnet; a load balancer needs eight, in a /27 at least.
KEPT = 5


def subnets(templates: Templates) -> list[ipaddress.IPv4Network]:
    found = templates.resources("AWS::EC2::Subnet")
    return [ipaddress.IPv4Network(one.properties["CidrBlock"]) for one in found]


def test_the_subnets_of_the_default_network_keep_their_addresses(templates: Templates) -> None:
    """Other addresses would replace the subnets, and everything in them."""
    assert list(map(str, subnets(templates))) == ["10.0.0.0/24", "10.0.1.0/24", "10.0.4.0/22", "10.0.8.0/22"]


@pytest.mark.parametrize("prefix", range(16, 25))
def test_the_subnets_fit_in_every_network_that_is_accepted(prefix: int) -> None:
    network = ipaddress.IPv4Network(f"172.16.0.0/{prefix}")
    given = templates_of(vpcCidr=str(network))
    assert given.only("AWS::EC2::VPC").properties["CidrBlock"] == str(network)
    found = sorted(subnets(given))
    assert len(found) == 4
    assert all(one.subnet_of(network) and one.prefixlen <= 27 for one in found)
    assert not any(one.overlaps(other) for one, other in pairwise(found))
    assert min(one.num_addresses for one in found) - KEPT >= 8


def test_the_function_that_closes_the_default_security_group_edits_only_that_group(
    templates: Templates,
) -> None:
    """Its log group belongs to the stack: by default one would outlive it (pitfall H9)."""
    found = {one["Sid"]: one for one in statements(role(templates, "default-group-rules-role-dev"))}
    assert set(found) == {"WriteTheLog", "EditTheRules"}
    (group,) = found["EditTheRules"]["Resource"]
    assert ":security-group/<Vpc" in group
    assert group.endswith(".DefaultSecurityGroup>")
    function = templates.only("AWS::Lambda::Function", FunctionName="default-group-rules-dev").properties
    log_group = templates.only("AWS::Logs::LogGroup", LogGroupName="/lambda/default-group-rules-dev")
    assert plain(function["LoggingConfig"]) == {"LogGroup": f"<{log_group.id}>"}


def test_requests_to_s3_from_the_private_subnets_bypass_nat(templates: Templates) -> None:
    """Each private subnet routes to the endpoint, and the endpoint costs nothing (pitfall J4)."""
    endpoint = templates.only("AWS::EC2::VPCEndpoint").properties
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert len(endpoint["RouteTableIds"]) == 2
    assert all("PrivateSubnet" in str(table) for table in endpoint["RouteTableIds"])
    # The default policy allows everything: roles and bucket policies decide.
    assert "PolicyDocument" not in endpoint


def test_flow_logs_are_off_in_dev_and_a_setting(templates: Templates, other: Templates) -> None:
    assert not templates.resources("AWS::EC2::FlowLog")
    flow_log = other.only("AWS::EC2::FlowLog").properties
    group = other.only("AWS::Logs::LogGroup", LogGroupName="/vpc/flow-logs-a-longer-one")
    assert plain(flow_log["LogGroupName"]) == f"<{group.id}>"
    assert (flow_log["ResourceType"], flow_log["TrafficType"]) == ("VPC", "ALL")


def test_the_role_of_the_flow_log_cannot_recreate_its_log_group(other: Templates) -> None:
    """A record may arrive after the group is deleted (pitfall H2)."""
    found = role(other, "flow-log-role-a-longer-one")
    (statement,) = statements(found)
    assert statement["Action"] == ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    (trust,) = found.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert set(trust["Condition"]) == {"StringEquals", "ArnLike"}
