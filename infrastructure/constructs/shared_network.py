"""One network for several services: the owner publishes its ids in SSM parameters, the others import it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infrastructure.naming import Names

# How the names of the parameters end; the last three have one parameter for each zone.
VPC, PUBLIC, PRIVATE, NAT_ADDRESS = "vpc-id", "public-subnet", "private-subnet", "nat-address"
ZONES = "ab"


def publish_network(scope: Construct, *, names: Names, vpc: ec2.IVpc, nat_addresses: Sequence[str]) -> None:
    """Write the network to parameters. Not to exports: those cannot change while a stack imports them."""
    parts = {
        VPC: vpc.vpc_id,
        **_by_zone(PUBLIC, [subnet.subnet_id for subnet in vpc.public_subnets]),
        **_by_zone(PRIVATE, [subnet.subnet_id for subnet in vpc.private_subnets]),
        **_by_zone(NAT_ADDRESS, nat_addresses),
    }
    for part, value in parts.items():
        ssm.StringParameter(
            scope,
            f"Lent-{part}",
            parameter_name=names.network(part),
            string_value=value,
            description="For the services that share this network",
        )


def import_network(
    scope: Construct, *, names: Names, zones: Sequence[str], nat_addresses: int
) -> tuple[ec2.IVpc, list[str]]:
    """Return the VPC that `names` publishes, and the addresses of its NAT gateways.

    CloudFormation resolves the parameters when it deploys, so synth needs no credentials.
    """

    def read(part: str) -> str:
        return ssm.StringParameter.value_for_string_parameter(scope, names.network(part))

    def several(part: str, count: int) -> list[str]:
        return [read(name) for name in _by_zone(part, range(count))]

    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=read(VPC),
        availability_zones=list(zones),
        public_subnet_ids=several(PUBLIC, len(zones)),
        private_subnet_ids=several(PRIVATE, len(zones)),
    )
    # No resource here adds a route.
    Annotations.of(vpc).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId")
    return vpc, several(NAT_ADDRESS, nat_addresses)


def _by_zone(part: str, values: Sequence[object]) -> Mapping[str, str]:
    return {f"{part}-{zone}": str(value) for zone, value in zip(ZONES, values, strict=False)}
