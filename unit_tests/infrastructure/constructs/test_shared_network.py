"""A service that shares the network of the sample: what is published, what is imported, what is its own."""

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
# The resources of a network.
NETWORK = {
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "Custom::VpcRestrictDefaultSG",
}


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Environment prod of a service with a shared network and two NAT gateways."""
    copy = tmp_path_factory.mktemp("project")
    copy_service(PROJECT, copy / "services/orders", package="orders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infrastructure.constructs.source.PROJECT", copy)
        return synthesize(copy / "cdk.out", environmentSuffix="orders-prod", services=ORDERS)


@pytest.fixture(scope="module")
def network_owner() -> Templates:
    """The sample's environment of the same name."""
    return templates_of(environmentSuffix="prod", services={**defaults()["services"], **ORDERS})


def imported(templates: Templates) -> dict[str, str]:
    """The SSM parameters that a network's template reads, by the ids of its own parameters."""
    given: dict[str, Any] = templates.by_part["network"].get("Parameters", {})
    assert {one["Type"] for one in given.values()} <= {"AWS::SSM::Parameter::Value<String>"}
    return {id_: one["Default"] for id_, one in given.items()}


def published(templates: Templates) -> dict[str, str]:
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
def test_a_wrong_network_is_one_clear_line(slip: object) -> None:
    with pytest.raises(ConfigError, match=r"services\.orders\.network .* own, or shared"):
        read_services({"orders": {"network": slip}})


def test_a_network_is_published_only_when_a_service_shares_it(templates: Templates) -> None:
    assert published(templates) == {}
    assert config("dev", orders={"network": "shared"}).publishes_network
    assert not config("orders-dev", orders={"network": "shared"}).publishes_network
    assert not config("dev", orders={"network": "own"}).publishes_network


def test_the_published_parameters_are_those_that_are_imported(
    sharing: Templates, network_owner: Templates
) -> None:
    assert sorted(imported(sharing).values()) == sorted(published(network_owner))
    assert all(name.startswith("/network-prod/") for name in published(network_owner))
    assert imported(network_owner) == {}


def test_each_parameter_has_the_id_of_its_part(network_owner: Templates) -> None:
    kinds = {one.id: one.type.rpartition("::")[2] for one in network_owner.resources(part="network")}
    assert {
        name.rpartition("/")[2]: kinds[value.strip("<>")] for name, value in published(network_owner).items()
    } == {
        "vpc-id": "VPC",
        "public-subnet-a": "Subnet",
        "public-subnet-b": "Subnet",
        "private-subnet-a": "Subnet",
        "private-subnet-b": "Subnet",
        "nat-address-a": "EIP",
        "nat-address-b": "EIP",
    }
    assert len(set(published(network_owner).values())) == 7
    public = {one.id for one in network_owner.resources("AWS::EC2::Subnet") if "Public" in one.id}
    assert {
        value.strip("<>") for name, value in published(network_owner).items() if "/public" in name
    } == public


def test_the_network_owner_is_otherwise_unchanged(network_owner: Templates) -> None:
    before = templates_of(environmentSuffix="prod")
    more = {one.id for one in network_owner.resources(part="network")} - {
        one.id for one in before.resources(part="network")
    }
    assert {one.type for one in network_owner.resources(part="network") if one.id in more} == {
        "AWS::SSM::Parameter"
    }
    for part in ("compute", "pipeline"):
        assert network_owner.by_part[part] == before.by_part[part]


def test_a_service_with_a_shared_network_creates_all_other_resources(
    sharing: Templates, network_owner: Templates
) -> None:
    types = {one.type for one in sharing.resources()}
    # Prod logs the traffic of its network.
    network = NETWORK | {"AWS::EC2::FlowLog"}
    assert not types & network
    assert {one.type for one in network_owner.resources()} - types == network
    balancer = sharing.only("AWS::ElasticLoadBalancingV2::LoadBalancer").properties
    assert [imported(sharing)[one["Ref"]] for one in balancer["Subnets"]] == [
        "/network-prod/public-subnet-a",
        "/network-prod/public-subnet-b",
    ]
    for kind in ("AWS::EC2::SecurityGroup", "AWS::ElasticLoadBalancingV2::TargetGroup"):
        for one in sharing.resources(kind):
            assert imported(sharing)[one.properties["VpcId"]["Ref"]] == "/network-prod/vpc-id"


def test_tasks_and_the_hook_run_in_the_shared_private_subnets(sharing: Templates) -> None:
    service = sharing.only("AWS::ECS::Service").properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    hook = sharing.only("AWS::Lambda::Function", FunctionName="test-traffic-hook-orders-prod").properties
    for subnets in (service["Subnets"], hook["VpcConfig"]["SubnetIds"]):
        # One name each, handed on by the root stack: a list would be joined and split on its way.
        assert [set(one) for one in subnets] == [{"Ref"}, {"Ref"}]
        assert all("privatesubnet" in one["Ref"].lower() for one in subnets)
        assert len({one["Ref"] for one in subnets}) == 2


def test_its_hook_reaches_its_test_listener_through_the_shared_nat_gateways(sharing: Templates) -> None:
    (group,) = [
        one.properties
        for one in sharing.resources("AWS::EC2::SecurityGroup")
        if one.properties["GroupDescription"].startswith("The load balancer")
    ]
    rules = [rule for rule in group["SecurityGroupIngress"] if rule["FromPort"] == 8080]
    assert [{imported(sharing)[id_] for id_ in references(rule["CidrIp"])} for rule in rules] == [
        {"/network-prod/nat-address-a"},
        {"/network-prod/nat-address-b"},
    ]
    assert all(plain(rule["CidrIp"]).endswith("/32") for rule in rules)


def test_no_resource_of_the_service_has_a_name_of_the_network_owner(sharing: Templates) -> None:
    text = json.dumps([[one.body for one in sharing.resources()]])
    assert "-prod" not in text.replace("orders-prod", "")
