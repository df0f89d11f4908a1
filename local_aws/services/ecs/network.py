"""Resolves the subnets and security groups of a request at EC2, in the account of the request."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.services.ecs.errors import invalid_parameter


def check_network(context: Context, definition: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse parameters whose network configuration ECS cannot use for a task definition.

    The messages: eddmann/serverless-fargate#20 (subnets),
    awslabs/fargatecli#73 (no subnets), aws/aws-dotnet-deploy#735 (a group of another VPC), and moto's
    `_validate_network` (groups).
    """
    if definition["networkMode"] != "awsvpc":
        return
    if "networkConfiguration" not in params:
        raise invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    given = params["networkConfiguration"].get("awsvpcConfiguration", {})
    subnets, groups = given.get("subnets", []), given.get("securityGroups", [])
    if not subnets:
        raise invalid_parameter("subnets can not be empty.")
    networks = _networks(context, subnets)
    for group, network in _networks_of_groups(context, groups):
        if {network} != networks:
            raise invalid_parameter(
                f"Security group {group} does not appear to belong to the same VPC as the input subnets."
            )


def _networks(context: Context, subnets: Sequence[str]) -> set[str]:
    """Return the VPCs of subnets."""
    try:
        found = context.client("ec2").describe_subnets(SubnetIds=list(subnets))["Subnets"]
    except ClientError as error:
        raise invalid_parameter(_not_retrieved("subnet", subnets, error)) from error
    return {subnet["VpcId"] for subnet in found}


def _networks_of_groups(context: Context, groups: Sequence[str]) -> list[tuple[str, str]]:
    """Return each security group with its VPC. Without groups, ECS uses the VPC's default one."""
    if not groups:
        return []
    try:
        found = context.client("ec2").describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    except ClientError as error:
        raise invalid_parameter(_not_retrieved("security group", groups, error)) from error
    return [(group["GroupId"], group["VpcId"]) for group in found]


def _not_retrieved(kind: str, ids: Sequence[str], error: ClientError) -> str:
    reason = error.response["Error"]
    return (
        f"Error retrieving {kind} information for [{', '.join(ids)}]: {reason['Message']} "
        f"(ErrorCode: {reason['Code']})"
    )
