"""What EC2 refuses: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.ec2_references import OPERATIONS
from local_aws.ministack.request_checks import permissions
from local_aws.ministack.request_checks.model import model_of
from local_aws.ministack.request_checks.rules import Checks, Rule, Test
from local_aws.ministack.request_checks.tags import TagCodes

ec2 = require(
    "services.ec2",
    *("_ACTION_MAP", "_is_malformed_security_group_id"),
    *("_addresses", "_ensure_defaults_initialized", "_internet_gateways", "_nat_gateways"),
    *("_network_interfaces", "_route_tables", "_security_groups", "_subnets", "_vpcs", "_vpc_endpoints"),
)

VALUE, DEPENDENCY = "InvalidParameterValue", "DependencyViolation"


@dataclass(frozen=True)
class Kind:
    """A kind of resource: the prefix of its ids, MiniStack's store, and the codes for its ids."""

    prefix: str
    store: str
    label: str
    not_found: str
    malformed: str


NETWORK = Kind("vpc", "_vpcs", "vpc ID", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed")
SUBNET = Kind("subnet", "_subnets", "subnet ID", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed")
GROUP = Kind("sg", "_security_groups", "security group", "InvalidGroup.NotFound", "InvalidGroupId.Malformed")
TABLE = Kind(
    "rtb", "_route_tables", "routeTable ID", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed"
)
GATEWAY = Kind(
    *("igw", "_internet_gateways", "internetGateway ID", "InvalidInternetGatewayID.NotFound"),
    "InvalidInternetGatewayId.Malformed",
)
NAT = Kind("nat", "_nat_gateways", "NAT gateway", "NatGatewayNotFound", "NatGatewayMalformed")
ADDRESS = Kind("eipalloc", "_addresses", "allocation ID", "InvalidAllocationID.NotFound", VALUE)
ENDPOINT = Kind(
    "vpce",
    "_vpc_endpoints",
    "Vpc Endpoint Id",
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcEndpointId.Malformed",
)
KINDS: Mapping[str, Kind] = {
    "InternetGatewayId": GATEWAY,
    "NatGatewayId": NAT,
    "AllocationId": ADDRESS,
    "RouteTableId": TABLE,
    "GroupId": GROUP,
    "SubnetId": SUBNET,
    "VpcId": NETWORK,
    "VpcEndpointId": ENDPOINT,
}
FILTERED = (
    *("DescribeAddresses", "DescribeInternetGateways", "DescribeNatGateways", "DescribeNetworkInterfaces"),
    *("DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcEndpoints"),
    "DescribeVpcs",
)
# Operations whose references `ec2_references` checks.
OTHERWISE = frozenset(filter(OPERATIONS.fullmatch, ec2._ACTION_MAP))
NO_BLOCK = "Value ({{}}) for parameter {} is invalid. This is not a valid CIDR block."
BLOCKS = ("CidrBlock", "DestinationCidrBlock")
ASSOCIATION = re.compile(r"rtbassoc-[0-9a-f]{8,17}")


def _values(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _malformed(kind: Kind) -> Test:
    if kind is GROUP:
        return lambda value: any(map(ec2._is_malformed_security_group_id, _values(value)))
    well_formed = re.compile(rf"{kind.prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})")
    return lambda value: any(well_formed.fullmatch(each) is None for each in _values(value))


def _missing(kind: Kind) -> Test:
    def test(value: Any) -> bool:
        ec2._ensure_defaults_initialized()
        return any(each not in getattr(ec2, kind.store) for each in _values(value))

    return test


def _missing_of(kind: Kind) -> Test:
    """Return a test for ids of a kind among those of several kinds."""
    missing = _missing(kind)
    return lambda ids: any(missing(id_) for id_ in ids if id_.startswith(f"{kind.prefix}-"))


def _of_ids() -> Iterator[Rule]:
    for name, kind in KINDS.items():
        yield Rule(name, _malformed(kind), kind.malformed, 'Invalid id: "{}"')
    for name, kind in KINDS.items():
        yield Rule(
            name, _missing(kind), kind.not_found, f"The {kind.label} '{{}}' does not exist", besides=OTHERWISE
        )

    for kind in KINDS.values():
        message = f"The {kind.label} does not exist"
        yield Rule("ResourceId", _missing_of(kind), kind.not_found, message, ("CreateTags",))


@cache
def _filters(operation: str) -> frozenset[str]:
    """Return the names of an operation's filters, which the documentation of the member lists."""
    shape = model_of("ec2").operation_model(operation).input_shape
    found = [member.documentation for name, member in shape.members.items() if name in ("Filters", "Filter")]
    return frozenset(re.findall(r"<li> <p> ?<code>([^<]+)</code>", "".join(found)))


def _has_unknown_filter(operation: str) -> Test:
    def test(filters: list[Mapping[str, Any]]) -> bool:
        names = {str(each.get("Name")) for each in filters}
        return any(name not in _filters(operation) and not name.startswith("tag:") for name in names)

    return test


def _is_no_block(block: str) -> bool:
    try:
        ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        return True
    return False


def _associations() -> set[str]:
    tables = ec2._route_tables.values()
    return {each["RouteTableAssociationId"] for table in tables for each in table.get("Associations", [])}


def _has_route(params: Mapping[str, Any]) -> bool:
    routes = (ec2._route_tables.get(params["RouteTableId"]) or {}).get("Routes", [])
    return any(route.get("DestinationCidrBlock") == params.get("DestinationCidrBlock") for route in routes)


def _is_attached(params: Mapping[str, Any]) -> bool:
    gateway = ec2._internet_gateways.get(params["InternetGatewayId"]) or {}
    return any(each["VpcId"] == params["VpcId"] for each in gateway.get("Attachments", []))


def _gateway_is_used(id_: str) -> bool:
    return bool((ec2._internet_gateways.get(id_) or {}).get("Attachments"))


def _running_gateways() -> list[Mapping[str, Any]]:
    return [each for each in ec2._nat_gateways.values() if each["State"] not in ("deleted", "deleting")]


def _subnet_is_used(id_: str) -> bool:
    running = any(each["SubnetId"] == id_ for each in _running_gateways())
    return running or any(each.get("SubnetId") == id_ for each in ec2._network_interfaces.values())


def _network_is_used(id_: str) -> bool:
    gateways = ec2._internet_gateways.values()
    attached = any(each["VpcId"] == id_ for gateway in gateways for each in gateway.get("Attachments", []))
    return attached or any(each["VpcId"] == id_ for each in ec2._subnets.values())


def _address_is_used(id_: str) -> bool:
    address = ec2._addresses.get(id_) or {}
    gateways = _running_gateways()
    used = {each.get("AllocationId") for each in gateways}
    used |= {
        each.get("AllocationId") for gateway in gateways for each in gateway.get("NatGatewayAddresses", [])
    }
    return bool(address.get("AssociationId")) or id_ in used


def _gateway_is_elsewhere(params: Mapping[str, Any]) -> bool:
    """Return whether an internet gateway is not attached to the network of a route table."""
    gateway = ec2._internet_gateways.get(params.get("GatewayId"))
    table = ec2._route_tables.get(params.get("RouteTableId"))
    if gateway is None or table is None:
        return False
    return table["VpcId"] not in {each["VpcId"] for each in gateway.get("Attachments", [])}


CHECKS = Checks(
    missing="MissingParameter",
    forms=permissions.FORMS,
    states=(
        *_of_ids(),
        *(
            Rule("Filter", _has_unknown_filter(name), VALUE, "The filter is invalid: {}", (name,))
            for name in FILTERED
        ),
        *permissions.RULES,
        *(
            Rule(
                name,
                _is_no_block,
                VALUE,
                NO_BLOCK.format(name[:1].lower() + name[1:]),
            )
            for name in BLOCKS
        ),
        Rule(
            "AssociationId",
            lambda id_: ASSOCIATION.fullmatch(id_) is None,
            "InvalidAssociationID.Malformed",
            'Invalid id: "{}"',
            ("DisassociateRouteTable",),
        ),
        Rule(
            "AssociationId",
            lambda id_: id_ not in _associations(),
            "InvalidAssociationID.NotFound",
            "The association ID '{}' does not exist",
            ("DisassociateRouteTable",),
        ),
        Rule(
            "",
            _has_route,
            "RouteAlreadyExists",
            "The route identified by the destination already exists.",
            ("CreateRoute",),
        ),
        # https://github.com/smoketurner/serverless-vpc-plugin/issues/147
        Rule(
            "",
            _gateway_is_elsewhere,
            VALUE,
            "The route table and the network gateway belong to different networks",
            ("CreateRoute", "ReplaceRoute"),
        ),
        Rule(
            "",
            lambda params: params["RouteTableId"] in ec2._route_tables and not _has_route(params),
            "InvalidRoute.NotFound",
            "no route with destination-cidr-block in the route table",
            ("DeleteRoute", "ReplaceRoute"),
        ),
        Rule(
            "",
            lambda params: not _is_attached(params),
            "Gateway.NotAttached",
            "The internet gateway is not attached to the network",
            ("DetachInternetGateway",),
        ),
        Rule(
            "InternetGatewayId",
            _gateway_is_used,
            DEPENDENCY,
            "The internetGateway '{}' has dependencies and cannot be deleted.",
            ("DeleteInternetGateway",),
        ),
        Rule(
            "SubnetId",
            _subnet_is_used,
            DEPENDENCY,
            "The subnet '{}' has dependencies and cannot be deleted.",
            ("DeleteSubnet",),
        ),
        Rule(
            "VpcId",
            _network_is_used,
            DEPENDENCY,
            "The vpc '{}' has dependencies and cannot be deleted.",
            ("DeleteVpc",),
        ),
        Rule(
            "AllocationId",
            _address_is_used,
            "InvalidIPAddress.InUse",
            "Address with allocation id {} is in use",
            ("ReleaseAddress",),
        ),
    ),
    tags=TagCodes(
        VALUE,
        too_many="TagLimitExceeded",
        duplicate=VALUE,
        message="Tag keys starting with 'aws:' are reserved for internal use",
    ),
)
