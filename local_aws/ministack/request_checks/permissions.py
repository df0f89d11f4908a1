"""What EC2 refuses of the rules of security groups: malformed ones, those that exist, a removal of none.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.request_checks.rules import Rule, Test

ec2 = require("services.ec2", "_security_groups")

# List of peers -> the member of each that names it. `Groups` is EC2's name in a request.
PEERS = {
    "Groups": "GroupId",
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}
WITH_PORTS, LAST_PORT = ("tcp", "udp", "6", "17"), 65535
AUTHORIZE = ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress")
STORES = {"Ingress": "IpPermissions", "Egress": "IpPermissionsEgress"}
Peer = tuple[str, str, str, str]


def _peers(permissions: list[Mapping[str, Any]]) -> Iterator[Peer]:
    """Yield protocol, ports and peer of each rule; an open range of ports has none."""
    for given in permissions:
        ports = (str(given.get(name, "")) for name in ("FromPort", "ToPort"))
        first, last = (port if port not in ("-1", "None") else "" for port in ports)
        for member, name in PEERS.items():
            for peer in given.get(member) or []:
                yield str(given.get("IpProtocol")), first, last, str(peer.get(name))


def _compared(store: str, *, exists: bool) -> Test:
    """Return a test for a request with a rule that is among those of its group, or one that is not."""

    def test(params: Mapping[str, Any]) -> bool:
        group = ec2._security_groups.get(params.get("GroupId"))
        if group is None:
            return False
        stored = set(_peers(group[store]))
        return any((peer in stored) == exists for peer in _peers(params.get("IpPermissions") or []))

    return test


def _has_malformed_block(permissions: list[Mapping[str, Any]]) -> bool:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"""
    blocks = (
        str(peer.get(name))
        for given in permissions
        for member, name in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"))
        for peer in given.get(member) or []
    )
    return not all(map(_is_block, blocks))


def _is_block(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _port(given: Mapping[str, Any], name: str) -> int:
    """Return a port, -1 for all of them, or -2 for what is none."""
    text = str(given.get(name, -1))
    return int(text) if text.lstrip("-").isdigit() else -2


def _has_wrong_ports(permissions: list[Mapping[str, Any]]) -> bool:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"""
    ports = (
        (_port(given, "FromPort"), _port(given, "ToPort"))
        for given in permissions
        if str(given.get("IpProtocol")).lower() in WITH_PORTS
    )
    return not all((first, last) == (-1, -1) or 0 <= first <= last <= LAST_PORT for first, last in ports)


FORMS = (
    Rule(
        "IpPermissions",
        _has_malformed_block,
        "InvalidParameterValue",
        "CIDR block is malformed",
        AUTHORIZE,
    ),
    Rule(
        "IpPermissions",
        _has_wrong_ports,
        "InvalidParameterValue",
        "Invalid TCP/UDP port range",
        AUTHORIZE,
    ),
)
RULES = tuple(
    Rule("", _compared(store, exists=exists), code, message, (f"{verb}SecurityGroup{direction}",))
    for verb, exists, code, message in (
        ("Authorize", True, "InvalidPermission.Duplicate", "the specified rule already exists"),
        (
            *("Revoke", False, "InvalidPermission.NotFound"),
            "The specified rule does not exist in this security group.",
        ),
    )
    for direction, store in STORES.items()
)
