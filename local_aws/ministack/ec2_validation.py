"""Rejects VPCs, subnets and security groups that EC2 rejects, of its API and of CloudFormation.

The codes and messages: moto's `create_vpc`, `create_subnet` and `create_security_group`, and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

import ipaddress
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import check_before_create

stored = require(
    "services.ec2",
    *("_ACTION_MAP", "_DEFAULT_VPC_ID", "_ensure_defaults_initialized", "_error", "_p"),
    *("_security_groups", "_subnets", "_vpcs", "get_region"),
)
# Takes a request's parameters, or a resource's properties, and raises `AwsError`.
Check = Callable[[Mapping[str, str]], None]
PREFIX_LENGTHS = range(16, 29)
# Of us-east-1: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
ZONES = "abcdef"


def patch_network_validation() -> None:
    """Check what is created by an operation of EC2, and by the resource type of the same."""
    for resource_type, (operation, names, check) in CHECKS.items():
        stored._ACTION_MAP[operation] = _checked_call(stored._ACTION_MAP[operation], names, check)
        check_before_create(resource_type, partial(_check_resource, names, check))


def _checked_call(original: Callable[..., Any], names: tuple[str, ...], check: Check) -> Callable[..., Any]:
    def call(params: Mapping[str, Any]) -> Any:
        try:
            check({name: value for name in names if (value := stored._p(params, name))})
        except AwsError as error:
            return stored._error(error.code, error.message, error.status)
        return original(params)

    return call


def _check_resource(names: tuple[str, ...], check: Check, props: Properties) -> None:
    try:
        check({name: str(props[name]) for name in names if props.get(name)})
    except AwsError as error:
        raise ValueError(error.message) from error


def check_vpc(given: Mapping[str, str]) -> None:
    """Reject a CIDR block that is none, or not between /16 and /28."""
    if "CidrBlock" in given and _network(given["CidrBlock"]).prefixlen not in PREFIX_LENGTHS:
        raise AwsError("InvalidVpc.Range", f"The CIDR '{given['CidrBlock']}' is invalid.")


def check_subnet(given: Mapping[str, str]) -> None:
    """Reject a subnet outside of its VPC, or one that overlaps another, or one in no zone of the region."""
    vpc, zones = _vpc(given), [f"{stored.get_region()}{letter}" for letter in ZONES]
    if given.get("AvailabilityZone", zones[0]) not in zones:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({given['AvailabilityZone']}) for parameter availabilityZone is invalid. Subnets can "
            f"currently only be created in the following availability zones: {', '.join(zones)}.",
        )
    if "CidrBlock" not in given:
        return
    network = _network(given["CidrBlock"])
    if network.prefixlen not in PREFIX_LENGTHS or not network.subnet_of(_network(vpc["CidrBlock"])):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{given['CidrBlock']}' is invalid.")
    for other in stored._subnets.values():
        if other["VpcId"] == vpc["VpcId"] and network.overlaps(_network(other["CidrBlock"])):
            raise AwsError(
                "InvalidSubnet.Conflict", f"The CIDR '{given['CidrBlock']}' conflicts with another subnet"
            )


def check_group(given: Mapping[str, str]) -> None:
    """Reject a security group of no VPC, or one whose name another group of the VPC has."""
    vpc, name = _vpc(given)["VpcId"], given.get("GroupName")
    for other in stored._security_groups.values():
        if other["VpcId"] == vpc and other["GroupName"] == name:
            raise AwsError(
                "InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc}'"
            )


def _vpc(given: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the VPC that is given, or the default one."""
    stored._ensure_defaults_initialized()
    id_ = given.get("VpcId", stored._DEFAULT_VPC_ID)
    found: Mapping[str, Any] | None = stored._vpcs.get(id_)
    if found is None:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{id_}' does not exist")
    return found


def _network(block: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({block}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ) from None


# Resource type -> the operation that creates it, the parameters that are checked, and the check.
CHECKS: dict[str, tuple[str, tuple[str, ...], Check]] = {
    "AWS::EC2::VPC": ("CreateVpc", ("CidrBlock",), check_vpc),
    "AWS::EC2::Subnet": ("CreateSubnet", ("VpcId", "CidrBlock", "AvailabilityZone"), check_subnet),
    "AWS::EC2::SecurityGroup": ("CreateSecurityGroup", ("VpcId", "GroupName"), check_group),
}
