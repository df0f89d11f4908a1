"""MiniStack's ELBv2 with our patches, called as boto3 calls it, in a network of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize

from local_aws.core.api import service_model
from local_aws.ministack import elbv2
from local_aws.ministack.elbv2_snapshot import alb, ec2
from local_aws.services.elbv2.records import ElbSnapshot
from local_aws.services.elbv2.serializers import TargetHealthDescription
from unit_tests.local_aws.services.elbv2.backends import make_context

MODEL = service_model("elbv2")


class Refused(Exception):  # noqa: N818 - reads as a sentence in pytest.raises
    """The code and message of an error."""


def call(operation: str, **params: Any) -> dict[str, Any]:
    """Send what boto3 sends for `operation`, and parse the answer as boto3 does."""
    shape = MODEL.operation_model(operation)
    request = botocore.serialize.create_serializer("query", include_validation=False).serialize_to_request(
        params, shape
    )
    status, headers, body = asyncio.run(alb.handle_request("POST", "/", {}, urlencode(request["body"]), {}))
    answer = {"status_code": status, "headers": headers, "body": body}
    parsed: dict[str, Any] = botocore.parsers.create_parser("query").parse(answer, shape.output_shape)
    if status >= 400:
        raise Refused(f"{parsed['Error']['Code']}: {parsed['Error']['Message']}")
    return parsed


def add_networks() -> None:
    """Let EC2 have a VPC with two zones, and another one."""
    networks = (("subnet-1", "a", "vpc-1"), ("subnet-2", "b", "vpc-1"), ("subnet-3", "b", "vpc-2"))
    for subnet, zone, vpc in networks:
        record = {"SubnetId": subnet, "AvailabilityZone": f"us-east-1{zone}", "VpcId": vpc}
        record["CidrBlock"] = "10.0.0.0/24"
        ec2._subnets[subnet] = record
        ec2._vpcs[vpc] = {"VpcId": vpc}
    ec2._subnets["subnet-4"] = {**ec2._subnets["subnet-2"], "SubnetId": "subnet-4"}
    ec2._security_groups["sg-1"] = {"GroupId": "sg-1", "GroupName": "one", "VpcId": "vpc-1"}
    ec2._security_groups["sg-2"] = {"GroupId": "sg-2", "GroupName": "two", "VpcId": "vpc-2"}


@contextmanager
def control_plane(folder: Path) -> Iterator[list[ElbSnapshot]]:
    """Patch MiniStack's ELBv2, empty, and yield the snapshots that it makes."""
    alb.reset()
    add_networks()
    found: list[ElbSnapshot] = []
    health: list[TargetHealthDescription] = [
        {
            "Target": {"Id": "127.0.9.1", "Port": 8080},
            "HealthCheckPort": 8080,
            "TargetHealth": {"State": "draining"},
        }
    ]
    elbv2.patch_elbv2(make_context(folder), found.append, lambda _arn, _asked: health)
    yield found
    alb.reset()


def balancer(name: str = "lb") -> str:
    answer = call("CreateLoadBalancer", Name=name, Subnets=["subnet-1", "subnet-2"])
    return str(answer["LoadBalancers"][0]["LoadBalancerArn"])


def group(name: str, **more: Any) -> str:
    given = {"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip", **more}
    return str(call("CreateTargetGroup", **given)["TargetGroups"][0]["TargetGroupArn"])


def forward(**by_weight: int) -> list[dict[str, Any]]:
    pairs = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in by_weight.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}]


def listener(balancer: str, actions: list[dict[str, Any]], port: int = 80) -> str:
    answer = call(
        "CreateListener", LoadBalancerArn=balancer, Port=port, Protocol="HTTP", DefaultActions=actions
    )
    return str(answer["Listeners"][0]["ListenerArn"])
