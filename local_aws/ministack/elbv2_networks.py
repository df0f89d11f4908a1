"""Rejects load balancers and target groups in subnets, security groups and VPCs that do not exist or fit."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from local_aws.core.api import AwsError
from local_aws.ministack.compat import require
from local_aws.ministack.elbv2_snapshot import ec2

interfaces = require("services.ec2", "_network_interfaces")._network_interfaces
RESERVED, FREE = 5, 8


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
    _check_addresses(found)
    return found


def _check_addresses(subnet: Mapping[str, Any]) -> None:
    """Check that a subnet has free addresses, besides the five that AWS keeps and those of its interfaces.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    used = [each for each in interfaces.values() if each["SubnetId"] == subnet["SubnetId"]]
    if ip_network(subnet["CidrBlock"]).num_addresses - RESERVED - len(used) < FREE:
        raise AwsError(
            "InvalidSubnet",
            f"Not enough IP space available in {subnet['SubnetId']}. "
            f"ELB requires at least {FREE} free IP addresses in each subnet.",
        )


def _misfit(message: str) -> AwsError:
    return AwsError("InvalidConfigurationRequest", message)
