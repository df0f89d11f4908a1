"""Rejects load balancers and target groups in subnets, security groups and VPCs that do not exist or fit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local_aws.core.api import AwsError
from local_aws.ministack.elbv2_snapshot import ec2


def check_networks(subnets: Sequence[str], groups: Iterable[str]) -> None:
    """Raise `AwsError` for the subnets and security groups of a load balancer that AWS rejects.

    The codes and messages: kasmtech/terraform#5 and robertdebock/terraform-aws-vault#5 (zones),
    mozilla/fxa-dev#449 (SubnetNotFound), pulumi/pulumi-awsx#816 (VPC of a group), and EC2's own.
    """
    ec2._ensure_defaults_initialized()
    records = [_subnet(each) for each in dict.fromkeys(subnets)]
    zones = [record["AvailabilityZone"] for record in records]
    if len(zones) < 2:
        raise AwsError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    if len(set(zones)) < len(zones):
        raise _misfit("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
    vpc = records[0]["VpcId"]
    for record in records:
        if record["VpcId"] != vpc:
            raise _misfit(f"Subnet '{record['SubnetId']}' does not belong to VPC '{vpc}'")
    for group in groups:
        found = ec2._security_groups.get(group)
        if found is None:
            raise AwsError("InvalidSecurityGroup", f"The security group '{group}' does not exist")
        if found["VpcId"] != vpc:
            raise _misfit(f"Security group '{group}' does not belong to VPC '{vpc}'")


def check_vpc(vpc: str) -> None:
    """Raise `AwsError` unless a target group's VPC exists. The message: getmoto/moto#6808."""
    if not vpc:
        raise AwsError("ValidationError", "A VPC ID must be specified")
    ec2._ensure_defaults_initialized()
    if vpc not in ec2._vpcs:
        raise AwsError("ValidationError", f"The VPC ID '{vpc}' is not found")


def _subnet(subnet: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = ec2._subnets.get(subnet)
    if found is None:
        raise AwsError("SubnetNotFound", f"The subnet ID '{subnet}' does not exist")
    return found


def _misfit(message: str) -> AwsError:
    return AwsError("InvalidConfigurationRequest", message)
