"""An environment in an existing VPC: no resource of a network, and everything in the given subnets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure.config.network_options import EXISTING_VPC
from infrastructure.config.settings import Config
from infrastructure.naming import Names
from unit_tests.infrastructure.constructs.test_shared_network import NETWORK, ORDERS
from unit_tests.infrastructure.synthesized import Templates, context, templates_of

GIVEN: dict[str, Any] = json.loads(EXISTING_VPC)


@pytest.fixture(scope="module")
def existing() -> Templates:
    """Environment dev in an existing VPC, with flow logs, which only a VPC of its own can have."""
    return templates_of(existingVpc=GIVEN, flowLogs=True)


def test_no_resource_of_a_network_is_created_or_changed(existing: Templates, templates: Templates) -> None:
    types = {one.type for one in existing.resources()}
    assert not types & {*NETWORK, "AWS::EC2::FlowLog", "AWS::SSM::Parameter::Value<String>"}
    assert {one.type for one in templates.resources()} - types == NETWORK


def test_everything_is_in_the_given_subnets(existing: Templates) -> None:
    balancer = existing.only("AWS::ElasticLoadBalancingV2::LoadBalancer").properties
    assert balancer["Subnets"] == GIVEN["publicSubnetIds"]
    service = existing.only("AWS::ECS::Service").properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    hook = existing.only("AWS::Lambda::Function", FunctionName="test-traffic-hook-dev").properties
    assert service["Subnets"] == hook["VpcConfig"]["SubnetIds"] == GIVEN["privateSubnetIds"]
    for kind in ("AWS::EC2::SecurityGroup", "AWS::ElasticLoadBalancingV2::TargetGroup"):
        assert {one.properties["VpcId"] for one in existing.resources(kind)} == {GIVEN["vpcId"]}


def test_the_hook_reaches_the_test_listener_from_the_given_addresses() -> None:
    many = templates_of(existingVpc=GIVEN | {"natAddresses": ["203.0.113.7", "198.51.100.0/28"]})
    (group,) = [
        one.properties
        for one in many.resources("AWS::EC2::SecurityGroup")
        if one.properties["GroupDescription"].startswith("The load balancer")
    ]
    rules = [rule["CidrIp"] for rule in group["SecurityGroupIngress"] if rule["FromPort"] == 8080]
    assert rules == ["203.0.113.7/32", "198.51.100.0/28"]


def test_the_command_line_gives_it_as_json() -> None:
    typed, written = (Config.from_context(context(existingVpc=given)) for given in (EXISTING_VPC, GIVEN))
    assert typed == written
    assert str(typed.existing_vpc) == GIVEN["vpcId"]


def test_a_service_that_shares_the_network_uses_the_existing_vpc_itself() -> None:
    def config(suffix: str, **more: object) -> Config:
        return Config.from_context(context(environmentSuffix=suffix, services=ORDERS, **more))

    assert config("orders-dev").network_owner == Names("dev")
    assert config("dev").publishes_network
    assert config("orders-dev", existingVpc=GIVEN).network_owner is None
    assert not config("dev", existingVpc=GIVEN).publishes_network
