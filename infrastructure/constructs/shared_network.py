"""A network of another owner: its ids are in SSM parameters of another service, or in cdk.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infrastructure.config.network_options import ExistingVpc
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

    vpc = _vpc(
        scope, zones, read(VPC), public=several(PUBLIC, len(zones)), private=several(PRIVATE, len(zones))
    )
    return vpc, several(NAT_ADDRESS, nat_addresses)


def import_existing(scope: Construct, existing: ExistingVpc, *, zones: Sequence[str]) -> ec2.IVpc:
    """Return the existing VPC. Nothing is looked up, so synth needs no credentials."""
    return _vpc(
        scope,
        zones,
        existing.vpc_id,
        public=existing.public_subnet_ids,
        private=existing.private_subnet_ids,
    )


def _vpc(
    scope: Construct, zones: Sequence[str], vpc_id: str, *, public: Sequence[str], private: Sequence[str]
) -> ec2.IVpc:
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=vpc_id,
        availability_zones=list(zones),
        public_subnet_ids=list(public),
        private_subnet_ids=list(private),
    )
    # No resource here adds a route.
    Annotations.of(vpc).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId")
    return vpc


def _by_zone(part: str, values: Sequence[object]) -> Mapping[str, str]:
    return {f"{part}-{zone}": str(value) for zone, value in zip(ZONES, values, strict=False)}
