"""Ids and ARNs of resources that do not exist, for each reference of a template to a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ACCOUNT = "123456789012"
_ELB = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}"
# Type of the resource, and attribute (an empty one is Ref) -> what such a reference looks like.
MISSING: Mapping[tuple[str, str], str] = {
    ("AWS::CodeBuild::Project", ""): "missing-project",
    ("AWS::CodeBuild::ReportGroup", "Arn"): f"arn:aws:codebuild:us-east-1:{ACCOUNT}:report-group/missing",
    ("AWS::CodeCommit::Repository", "Name"): "missing-repository",
    ("AWS::CodeDeploy::Application", ""): "missing-application",
    ("AWS::EC2::EIP", "AllocationId"): "eipalloc-0123456789abcdef0",
    ("AWS::EC2::InternetGateway", ""): "igw-0123456789abcdef0",
    ("AWS::EC2::NatGateway", ""): "nat-0123456789abcdef0",
    ("AWS::EC2::NatGateway", "NatGatewayId"): "nat-0123456789abcdef0",
    ("AWS::EC2::RouteTable", ""): "rtb-0123456789abcdef0",
    ("AWS::EC2::SecurityGroup", "GroupId"): "sg-0123456789abcdef0",
    ("AWS::EC2::Subnet", ""): "subnet-0123456789abcdef0",
    ("AWS::EC2::VPC", ""): "vpc-0123456789abcdef0",
    ("AWS::ECS::Cluster", ""): "missing-cluster",
    ("AWS::ECS::Service", "Name"): "missing-service",
    ("AWS::ECS::TaskDefinition", ""): "missing-family:1",
    ("AWS::ElasticLoadBalancingV2::Listener", ""): f"{_ELB}:listener/app/missing/{'0' * 16}/{'0' * 16}",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", ""): f"{_ELB}:loadbalancer/app/missing/{'0' * 16}",
    ("AWS::ElasticLoadBalancingV2::TargetGroup", ""): f"{_ELB}:targetgroup/missing/{'0' * 16}",
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupName"): "missing-group",
    ("AWS::IAM::Role", ""): "missing-role",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/missing-role",
    ("AWS::KMS::Key", ""): "00000000-0000-0000-0000-000000000000",
    ("AWS::KMS::Key", "Arn"): f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
    ("AWS::Lambda::Function", ""): "missing-function",
    ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:missing-function",
    ("AWS::Logs::LogGroup", ""): "missing-group",
    ("AWS::Logs::LogGroup", "Arn"): f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:missing-group:*",
    ("AWS::S3::Bucket", ""): "missing-bucket-123456789012",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::missing-bucket-123456789012",
    ("AWS::SNS::Topic", ""): f"arn:aws:sns:us-east-1:{ACCOUNT}:missing-topic",
}


def dangling_values(
    value: Any, resources: Mapping[str, Mapping[str, Any]], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of each reference to a resource, and the id of one of its type that does not exist."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from dangling_values(each, resources, (*path, number))
    elif isinstance(value, Mapping):
        missing = _missing(value, resources)
        if missing is not None:
            yield path, missing
        elif not any(key.startswith("Fn::") for key in value):
            for key, each in value.items():
                yield from dangling_values(each, resources, (*path, key))


def _missing(value: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> str | None:
    if value.keys() == {"Ref"}:
        name, attribute = value["Ref"], ""
    elif value.keys() == {"Fn::GetAtt"}:
        name, attribute = value["Fn::GetAtt"]
    else:
        return None
    return MISSING.get((str(resources.get(name, {}).get("Type")), attribute))
