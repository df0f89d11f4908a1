"""Refuses to create what refers to a resource of EC2 that does not exist, of EC2's API and of CloudFormation.

The codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import check_before_create, resource_handlers

# Parameter or property -> MiniStack's store of what it names, the prefix of its ids, EC2's code and message.
Reference = tuple[str, str, str, str]
_GATEWAY: Reference = (
    "_internet_gateways",
    "igw-",
    "InvalidInternetGatewayID.NotFound",
    "The internetGateway ID '{}' does not exist",
)
_GROUP: Reference = (
    "_security_groups",
    "sg-",
    "InvalidGroup.NotFound",
    "The security group '{}' does not exist",
)
_ROUTE_TABLE: Reference = (
    "_route_tables",
    "rtb-",
    "InvalidRouteTableID.NotFound",
    "The routeTable ID '{}' does not exist",
)
_SUBNET: Reference = ("_subnets", "", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist")
REFERENCES: dict[str, Reference] = {
    "AllocationId": (
        "_addresses",
        "",
        "InvalidAllocationID.NotFound",
        "The allocation ID '{}' does not exist",
    ),
    "DestinationSecurityGroupId": _GROUP,
    "GatewayId": (*_GATEWAY[:2], "InvalidGatewayID.NotFound", "The gateway ID '{}' does not exist"),
    "GroupId": _GROUP,
    "InternetGatewayId": _GATEWAY,
    "NatGatewayId": (
        "_nat_gateways",
        "",
        "InvalidNatGatewayID.NotFound",
        "The nat gateway ID '{}' does not exist",
    ),
    "RouteTableId": _ROUTE_TABLE,
    "RouteTableIds": _ROUTE_TABLE,
    "SecurityGroupId": _GROUP,
    "SecurityGroupIds": _GROUP,
    "SourceSecurityGroupId": _GROUP,
    "SubnetId": _SUBNET,
    "SubnetIds": _SUBNET,
    "VpcId": ("_vpcs", "", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
}
OPERATIONS = re.compile(r"(Create|Attach|Associate|Authorize|Replace)(?!Tags)\w+")
FUNCTION = "AWS::Lambda::Function"
# The API's name of a member of a list, as `SubnetId.1`.
NAME = re.compile(r"(\w+?)(?:\.\d+)?$")

ec2 = require(
    "services.ec2",
    *("_ACTION_MAP", "_ensure_defaults_initialized", "_error"),
    *dict.fromkeys(reference[0] for reference in REFERENCES.values()),
)


def patch_ec2_references() -> None:
    """Check the operations that create something, and the resource types of EC2 and Lambda's functions."""
    for operation, call in ec2._ACTION_MAP.items():
        if OPERATIONS.fullmatch(operation):
            ec2._ACTION_MAP[operation] = _checked_call(call)
    for resource_type in resource_handlers():
        if resource_type.startswith("AWS::EC2::"):
            check_before_create(resource_type, partial(_check_resource, _of_ec2))
    check_before_create(FUNCTION, partial(_check_resource, _of_lambda))


def _of_ec2(_code: str, message: str) -> str:
    return f"{message} (Service: Ec2, Status Code: 400)"


def _of_lambda(code: str, message: str) -> str:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html."""
    operation = "DescribeSubnets" if "Subnet" in code else "DescribeSecurityGroups"
    return (
        f"InvalidParameterValueException: Error occurred while {operation}. EC2 Error Code: {code}. "
        f"EC2 Error Message: {message}"
    )


def missing_reference(values: Iterator[tuple[str, str]]) -> tuple[str, str] | None:
    """Return EC2's code and message for the first name and id of something that does not exist, or None."""
    ec2._ensure_defaults_initialized()
    for name, value in values:
        if name not in REFERENCES:
            continue
        store, prefix, code, message = REFERENCES[name]
        if value.startswith(prefix) and value not in getattr(ec2, store):
            return code, message.format(value)
    return None


def _checked_call(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(params: Mapping[str, Any]) -> Any:
        found = missing_reference(_of_request(params))
        return original(params) if found is None else ec2._error(*found, 400)

    return call


def _of_request(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in params.items():
        name = NAME.search(key)
        if name:
            yield name[1], str(value[0] if isinstance(value, list) and value else value)


def _check_resource(words: Callable[[str, str], str], props: Properties) -> None:
    found = missing_reference(_of_properties("", dict(props)))
    if found is not None:
        raise ValueError(words(*found))


def _of_properties(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _of_properties(key, each)
    elif isinstance(value, list):
        for each in value:
            yield from _of_properties(name, each)
    elif isinstance(value, str):
        yield name, value
