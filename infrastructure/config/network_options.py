"""The readers of the context keys for the network: its addresses, an existing VPC, and the testers."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
PRIVATE_NETWORKS = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
# In a smaller VPC, a public subnet would be too small for a load balancer, which needs a /27.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer
LARGEST, SMALLEST = 16, 24
MOST_NAT_ADDRESSES = 10
VPC_CIDR_WORDS = f"a private IPv4 network from /{LARGEST} to /{SMALLEST} without host bits, for the new VPC"
EXISTING_VPC = (
    '{"vpcId": "vpc-0123456789abcdef0", '
    '"publicSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], '
    '"privateSubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"], '
    '"natAddresses": ["203.0.113.7"]}'
)
EXISTING_VPC_WORDS = (
    "an object, or its JSON, with vpcId, two publicSubnetIds and two privateSubnetIds, each pair in two "
    f"zones, and natAddresses: 1 to {MOST_NAT_ADDRESSES} addresses, or networks of /24 or smaller, from "
    "which the private subnets reach the internet (leave it out to create a VPC)"
)


@dataclass(frozen=True)
class ExistingVpc:
    """A VPC that the app uses and does not change; `nat_addresses` are networks such as 203.0.113.7/32."""

    vpc_id: str
    public_subnet_ids: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    nat_addresses: tuple[str, ...]

    def __str__(self) -> str:
        return self.vpc_id


def test_traffic_cidr(value: object) -> str:
    """Accept an IPv4 network that may call the test listener."""
    network = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    # Not the whole internet: a version is not public before its release (pitfall B8).
    if network is None or network.prefixlen < 8:
        raise ValueError
    return str(network)


def vpc_cidr(value: object) -> str:
    """Accept a private IPv4 network in which the four subnets fit."""
    network = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    if network is None or not LARGEST <= network.prefixlen <= SMALLEST:
        raise ValueError
    if not any(network.subnet_of(private) for private in PRIVATE_NETWORKS):
        raise ValueError
    return str(network)


def existing_vpc(value: object) -> ExistingVpc:
    """Accept the object of cdk.json, or its JSON from the command line."""
    given = json.loads(value) if isinstance(value, str) else value
    keys = {"vpcId", "publicSubnetIds", "privateSubnetIds", "natAddresses"}
    if not isinstance(given, dict) or set(given) != keys:
        raise ValueError
    public, private = given["publicSubnetIds"], given["privateSubnetIds"]
    if not (isinstance(public, list) and isinstance(private, list) and len(public) == len(private) == 2):
        raise ValueError
    subnets = _different([*public, *private], partial(_id, "subnet"), 4)
    addresses = _different(given["natAddresses"], _nat_address, MOST_NAT_ADDRESSES)
    return ExistingVpc(_id("vpc", given["vpcId"]), subnets[:2], subnets[2:], addresses)


def _nat_address(value: object) -> str:
    network = ipaddress.IPv4Network(value) if isinstance(value, str) else None
    # A version is not public before its release (pitfall B8).
    if network is None or network.prefixlen < 24:
        raise ValueError
    return str(network)


def _id(kind: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(f"{kind}-[0-9a-f]{{8}}([0-9a-f]{{9}})?", value):
        raise ValueError
    return value


def _different(given: object, read: Callable[[object], str], most: int) -> tuple[str, ...]:
    found = tuple(map(read, given)) if isinstance(given, list) else ()
    if not 1 <= len(found) <= most or len(set(found)) != len(found):
        raise ValueError
    return found
