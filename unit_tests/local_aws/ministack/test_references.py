"""What refers to a resource that does not exist is not created."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud

VPC, SUBNET, GROUP = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
TABLE, GATEWAY, ALLOCATION = "rtb-0123456789abcdef0", "igw-0123456789abcdef0", "eipalloc-0123456789abcdef0"


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("create_route_table", {"VpcId": VPC}, "InvalidVpcID.NotFound"),
        (
            "create_security_group",
            {"VpcId": VPC, "GroupName": "g", "Description": "d"},
            "InvalidVpcID.NotFound",
        ),
        (
            "associate_route_table",
            {"SubnetId": SUBNET, "RouteTableId": TABLE},
            "InvalidSubnetID.NotFound",
        ),
        (
            "attach_internet_gateway",
            {"InternetGatewayId": GATEWAY, "VpcId": VPC},
            "InvalidInternetGatewayID.NotFound",
        ),
        (
            "create_route",
            {"RouteTableId": TABLE, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": GATEWAY},
            "InvalidRouteTableID.NotFound",
        ),
        (
            "create_nat_gateway",
            {"AllocationId": ALLOCATION, "SubnetId": SUBNET},
            "InvalidAllocationID.NotFound",
        ),
    ],
)
def test_ec2_refuses_what_belongs_to_nothing(
    cloud: Cloud, operation: str, arguments: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(cloud.client("ec2"), operation)(**arguments)
    assert caught.value.response["Error"]["Code"].endswith(".NotFound")
    assert caught.value.response["Error"]["Code"] == code


def test_a_rule_for_members_of_a_group_that_does_not_exist_is_refused(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="members", Description="d")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    with pytest.raises(ClientError, match=f"The security group '{GROUP}' does not exist"):
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": GROUP}]}]
        )
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": group}]}]
    )


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    pass\n")
    return content.getvalue()


def test_a_function_needs_a_role_that_trusts_lambda(cloud: Cloud) -> None:
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    other = json.dumps(TRUST).replace("lambda.amazonaws.com", "ecs.amazonaws.com")
    wrong = iam.create_role(RoleName="trusts-ecs", AssumeRolePolicyDocument=other)["Role"]["Arn"]
    right = iam.create_role(RoleName="trusts-lambda", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    given: dict[str, Any] = {
        "FunctionName": "f",
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Code": {"ZipFile": archive()},
    }
    for role in (wrong, "arn:aws:iam::123456789012:role/nobody"):
        with pytest.raises(ClientError, match=r"InvalidParameterValueException.*cannot be assumed by Lambda"):
            functions.create_function(Role=role, **given)
    assert functions.create_function(Role=right, **given)["Role"] == right


def test_a_target_needs_a_role_that_trusts_eventbridge(cloud: Cloud) -> None:
    events = cloud.client("events")
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    role = "arn:aws:iam::123456789012:role/nobody"
    with pytest.raises(ClientError, match=r"cannot be assumed by principal .events\.amazonaws\.com"):
        events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue, "RoleArn": role}])
