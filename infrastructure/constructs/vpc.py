"""A VPC over two zones, with an endpoint for S3, a closed default security group, and optional flow logs."""

from __future__ import annotations

import ipaddress

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.log_groups import create_log_group
from infrastructure.constructs.provider_functions import RESTRICT_DEFAULT_GROUP, adapt_provider
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.naming import Names

PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
# Of the subnets in a /16, which keep their addresses; those of a smaller VPC are a part of it.
PUBLIC_MASK, PRIVATE_MASK = 24, 22
# A load balancer's subnets are at least so large.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer
LONGEST_PUBLIC_MASK = 27


def create_vpc(scope: Construct, *, config: Config) -> ec2.Vpc:
    """Create the VPC in `scope`. Its default security group admits nothing."""
    names, prefix = config.names, ipaddress.IPv4Network(config.vpc_cidr).prefixlen
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(config.vpc_cidr),
        max_azs=2,
        nat_gateways=config.nat_gateways,
        restrict_default_security_group=True,
        subnet_configuration=[
            ec2.SubnetConfiguration(
                name="Public",
                subnet_type=ec2.SubnetType.PUBLIC,
                cidr_mask=min(max(PUBLIC_MASK, prefix + 4), LONGEST_PUBLIC_MASK),
                map_public_ip_on_launch=False,
            ),
            ec2.SubnetConfiguration(
                name="Private",
                subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                cidr_mask=max(PRIVATE_MASK, prefix + 2),
            ),
        ],
    )
    _adapt_restriction(scope, vpc, names)
    _tag_with_names(vpc, names)
    _add_s3_endpoint(vpc, names)
    if config.flow_logs:
        _add_flow_log(scope, vpc, names)
    return vpc


def nat_addresses(vpc: ec2.Vpc) -> list[str]:
    """Return the public addresses of the VPC's NAT gateways."""
    found = [subnet.node.try_find_child("EIP") for subnet in vpc.public_subnets]
    return [address.ref for address in found if isinstance(address, ec2.CfnEIP)]


def _adapt_restriction(scope: Construct, vpc: ec2.Vpc, names: Names) -> None:
    """Adapt the function that removes the rules of the default security group (pitfall H9)."""
    group = arn(scope, "ec2", f"security-group/{vpc.vpc_default_security_group}")
    verbs = [f"{verb}SecurityGroup{way}" for verb in ("Revoke", "Authorize") for way in ("Ingress", "Egress")]
    adapt_provider(
        scope,
        "DefaultGroupLogs",
        provider=RESTRICT_DEFAULT_GROUP,
        names=names,
        name="default-group-rules",
        description="Removes the rules of the VPC's default security group",
        role_description="What the Lambda that closes the default security group does: edit its rules",
        statements=[allow("EditTheRules", [f"ec2:{verb}" for verb in verbs], [group])],
    )


def _add_s3_endpoint(vpc: ec2.Vpc, names: Names) -> None:
    """Route requests to S3, such as for the layers of images in ECR, past the NAT gateways (pitfall J4).

    It has the default policy, which limits nothing: a policy would have to list AWS's own buckets for
    layers. Who may do what in S3 is a matter of roles and bucket policies.
    """
    endpoint = vpc.add_gateway_endpoint(
        "S3Endpoint", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[PRIVATE]
    )
    Tags.of(endpoint).add("Name", names.qualified("s3-endpoint"))


def _add_flow_log(scope: Construct, vpc: ec2.Vpc, names: Names) -> None:
    """Log all traffic. The role cannot create a log group, so a late record recreates none (pitfall H2).

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    log_group = create_log_group(scope, "FlowLogs", name=f"/vpc/{names.qualified('flow-logs')}")
    role = create_role(
        scope,
        "FlowLogRole",
        name=names.qualified("flow-log-role"),
        assumed_by=service_principal("vpc-flow-logs", source_arn=arn(scope, "ec2", "vpc-flow-log/*")),
        description="What VPC Flow Logs does: write to its log group",
        statements=[
            allow(
                "WriteTheLog",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [log_group.log_group_arn],
            )
        ],
    )
    ec2.FlowLog(
        scope,
        "FlowLog",
        flow_log_name=names.qualified("flow-log"),
        resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
        traffic_type=ec2.FlowLogTrafficType.ALL,
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role.without_policy_updates()),
    )


def _tag_with_names(vpc: ec2.Vpc, names: Names) -> None:
    """Give every part of the VPC its Name tag; the CDK's default is the construct path."""
    Tags.of(vpc).add("Name", names.qualified("vpc"))
    Tags.of(vpc.node.find_child("IGW")).add("Name", names.qualified("internet-gateway"))
    for kind, subnets in (("public", vpc.public_subnets), ("private", vpc.private_subnets)):
        for number, subnet in enumerate(subnets, start=1):
            Tags.of(subnet).add("Name", names.qualified(f"{kind}-subnet-{number}"))
            # The CDK's ids inside a subnet; only the first public subnets have a NAT gateway.
            parts = {
                "RouteTable": f"{kind}-route-table-{number}",
                "EIP": f"elastic-ip-{number}",
                "NATGateway": f"nat-gateway-{number}",
            }
            for id_, type_ in parts.items():
                if (part := subnet.node.try_find_child(id_)) is not None:
                    Tags.of(part).add("Name", names.qualified(type_))
