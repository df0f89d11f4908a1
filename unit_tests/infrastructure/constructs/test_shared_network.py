"""A service that shares the sample's network: what is lent, what is read, and what stays its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure.config.catalogue import read_services
from infrastructure.config.context_key import ConfigError
from infrastructure.config.settings import Config
from infrastructure.naming import Names
from tools.assembly import references
from tools.new_service import copy_service
from tools.synthesis import defaults
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, synthesize, templates_of

ORDERS = {"orders": {"folder": "services/orders", "network": "shared"}}
# What a network is made of.
NETWORK = {
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
}


@pytest.fixture(scope="module")
def sharer(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Environment prod of a service that shares: it has two ways out."""
    copy = tmp_path_factory.mktemp("project")
    copy_service(PROJECT, copy / "services/orders", package="orders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infrastructure.constructs.source.PROJECT", copy)
        return synthesize(copy / "cdk.out", environmentSuffix="orders-prod", services=ORDERS)


@pytest.fixture(scope="module")
def network_owner() -> Templates:
    """The sample's environment of the same name."""
    return templates_of(environmentSuffix="prod", services=ORDERS)


def read(templates: Templates) -> dict[str, str]:
    """The SSM parameters that a network's template reads, by the ids of its own parameters."""
    given: dict[str, Any] = templates.by_part["network"].get("Parameters", {})
    assert {one["Type"] for one in given.values()} <= {"AWS::SSM::Parameter::Value<String>"}
    return {id_: one["Default"] for id_, one in given.items()}


def lent(templates: Templates) -> dict[str, str]:
    """The SSM parameters that a network's template writes, and their values."""
    found = [one.properties for one in templates.resources("AWS::SSM::Parameter", part="network")]
    return {one["Name"]: plain(one["Value"]) for one in found}


def config(suffix: str, **services: object) -> Config:
    return Config.from_context({**defaults(), "environmentSuffix": suffix, "services": services})


def test_a_network_is_its_own_unless_the_entry_says_otherwise() -> None:
    assert not read_services({"orders": {}})["orders"].shares_network
    assert not read_services({"orders": {"network": "own"}})["orders"].shares_network
    assert config("orders-dev", orders={}).network_owner is None
    assert config("orders-dev", orders={"network": "shared"}).network_owner == Names("dev")


@pytest.mark.parametrize("slip", ["other", True, None, "vpc-1"])
def test_a_slip_is_one_clear_line(slip: object) -> None:
    with pytest.raises(ConfigError, match=r"services\.orders\.network .* own, or shared"):
        read_services({"orders": {"network": slip}})


def test_nobody_lends_unless_somebody_shares(templates: Templates) -> None:
    assert lent(templates) == {}
    assert config("dev", orders={"network": "shared"}).publishes_network
    assert not config("orders-dev", orders={"network": "shared"}).publishes_network
    assert not config("dev", orders={"network": "own"}).publishes_network


def test_all_that_is_read_is_lent_and_more_is_not(sharer: Templates, network_owner: Templates) -> None:
    assert sorted(read(sharer).values()) == sorted(lent(network_owner))
    assert all(name.startswith("/network-prod/") for name in lent(network_owner))
    assert read(network_owner) == {}


def test_each_part_is_lent_as_what_it_is(network_owner: Templates) -> None:
    kinds = {one.id: one.type.rpartition("::")[2] for one in network_owner.resources(part="network")}
    assert {
        name.rpartition("/")[2]: kinds[value.strip("<>")] for name, value in lent(network_owner).items()
    } == {
        "vpc-id": "VPC",
        "public-subnet-a": "Subnet",
        "public-subnet-b": "Subnet",
        "private-subnet-a": "Subnet",
        "private-subnet-b": "Subnet",
        "nat-address-a": "EIP",
        "nat-address-b": "EIP",
    }
    assert len(set(lent(network_owner).values())) == 7
    public = {one.id for one in network_owner.resources("AWS::EC2::Subnet") if "Public" in one.id}
    assert {value.strip("<>") for name, value in lent(network_owner).items() if "/public" in name} == public


def test_a_lender_is_otherwise_as_it_was(network_owner: Templates) -> None:
    before = templates_of(environmentSuffix="prod")
    more = {one.id for one in network_owner.resources(part="network")} - {
        one.id for one in before.resources(part="network")
    }
    assert {one.type for one in network_owner.resources(part="network") if one.id in more} == {
        "AWS::SSM::Parameter"
    }
    for part in ("compute", "pipeline"):
        assert network_owner.by_part[part] == before.by_part[part]


def test_a_sharer_makes_no_network_and_all_else_for_itself(
    sharer: Templates, network_owner: Templates
) -> None:
    types = {one.type for one in sharer.resources()}
    assert not types & NETWORK
    assert {one.type for one in network_owner.resources()} - types == NETWORK
    balancer = sharer.only("AWS::ElasticLoadBalancingV2::LoadBalancer").properties
    assert [read(sharer)[one["Ref"]] for one in balancer["Subnets"]] == [
        "/network-prod/public-subnet-a",
        "/network-prod/public-subnet-b",
    ]
    for kind in ("AWS::EC2::SecurityGroup", "AWS::ElasticLoadBalancingV2::TargetGroup"):
        for one in sharer.resources(kind):
            assert read(sharer)[one.properties["VpcId"]["Ref"]] == "/network-prod/vpc-id"


def test_tasks_and_the_hook_stand_in_the_shared_private_subnets(sharer: Templates) -> None:
    service = sharer.only("AWS::ECS::Service").properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    hook = sharer.only("AWS::Lambda::Function", FunctionName="test-traffic-hook-orders-prod").properties
    for subnets in (service["Subnets"], hook["VpcConfig"]["SubnetIds"]):
        # One name each, handed on by the root stack: a list would be joined and split on its way.
        assert [set(one) for one in subnets] == [{"Ref"}, {"Ref"}]
        assert all("privatesubnet" in one["Ref"].lower() for one in subnets)
        assert len({one["Ref"] for one in subnets}) == 2


def test_its_hook_reaches_its_test_listener_by_the_shared_ways_out(sharer: Templates) -> None:
    (group,) = [
        one.properties
        for one in sharer.resources("AWS::EC2::SecurityGroup")
        if one.properties["GroupDescription"].startswith("The load balancer")
    ]
    rules = [rule for rule in group["SecurityGroupIngress"] if rule["FromPort"] == 8080]
    assert [{read(sharer)[id_] for id_ in references(rule["CidrIp"])} for rule in rules] == [
        {"/network-prod/nat-address-a"},
        {"/network-prod/nat-address-b"},
    ]
    assert all(plain(rule["CidrIp"]).endswith("/32") for rule in rules)


def test_nothing_of_a_sharer_is_named_as_its_lenders(sharer: Templates) -> None:
    text = json.dumps([[one.body for one in sharer.resources()]])
    assert "-prod" not in text.replace("orders-prod", "")
