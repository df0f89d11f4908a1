"""VPCs, subnets and security groups that EC2 rejects, by its API and in a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import template

if TYPE_CHECKING:
    from unit_tests.local_aws.cloudformation_cloud import Cloud

NO_VPC = "vpc-0123456789abcdef0"
CASES: list[tuple[str, dict[str, str], str, str]] = [
    (
        "Subnet",
        {"CidrBlock": "10.9.1.128/25"},
        "InvalidSubnet.Conflict",
        "The CIDR '10.9.1.128/25' conflicts with another subnet",
    ),
    ("Subnet", {"CidrBlock": "10.10.1.0/24"}, "InvalidSubnet.Range", "The CIDR '10.10.1.0/24' is invalid."),
    ("Subnet", {"CidrBlock": "10.9.2.0/29"}, "InvalidSubnet.Range", "The CIDR '10.9.2.0/29' is invalid."),
    (
        "Subnet",
        {"CidrBlock": "10.9.2.0"},
        "InvalidSubnet.Range",
        "The CIDR '10.9.2.0' is invalid.",
    ),
    (
        "Subnet",
        {"CidrBlock": "ten"},
        "InvalidParameterValue",
        "Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
    ),
    (
        "Subnet",
        {"CidrBlock": "10.9.2.0/24", "VpcId": NO_VPC},
        "InvalidVpcID.NotFound",
        f"The vpc ID '{NO_VPC}' does not exist",
    ),
    (
        "SecurityGroup",
        {"GroupName": "new", "VpcId": NO_VPC},
        "InvalidVpcID.NotFound",
        f"The vpc ID '{NO_VPC}' does not exist",
    ),
    (
        "SecurityGroup",
        {"GroupName": "taken"},
        "InvalidGroup.Duplicate",
        "The security group 'taken' already exists for VPC ",
    ),
    ("Vpc", {"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid."),
]


@pytest.fixture(scope="module")
def vpc(cloud: Cloud) -> str:
    ec2 = cloud.client("ec2")
    made = str(ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])
    ec2.create_subnet(VpcId=made, CidrBlock="10.9.1.0/24")
    ec2.create_security_group(VpcId=made, GroupName="taken", Description="taken")
    return made


def given(kind: str, vpc: str, params: dict[str, str]) -> dict[str, str]:
    return params if kind == "Vpc" else {"VpcId": vpc, **params}


@pytest.mark.parametrize(("kind", "params", "code", "message"), CASES)
def test_ec2_refuses_it(
    cloud: Cloud, vpc: str, kind: str, params: dict[str, str], code: str, message: str
) -> None:
    calls: dict[str, Any] = {
        "Subnet": cloud.client("ec2").create_subnet,
        "SecurityGroup": lambda **more: cloud.client("ec2").create_security_group(Description="d", **more),
        "Vpc": cloud.client("ec2").create_vpc,
    }
    with pytest.raises(ClientError) as caught:
        calls[kind](**given(kind, vpc, params))
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].startswith(message)


def test_a_template_with_it_fails_for_the_same_reason(cloud: Cloud, vpc: str) -> None:
    types = {"Vpc": "AWS::EC2::VPC", "Subnet": "AWS::EC2::Subnet", "SecurityGroup": "AWS::EC2::SecurityGroup"}
    for number, (kind, params, _, message) in enumerate(CASES):
        properties = given(kind, vpc, params)
        described = {"GroupDescription": "d"} if kind == "SecurityGroup" else {}
        body = template(One={"Type": types[kind], **properties, **described})
        assert cloud.create(f"refused-{number}", body) == "ROLLBACK_COMPLETE", message
        assert message in cloud.reasons(f"refused-{number}")


def test_neighbouring_subnets_and_groups_of_another_name_are_created(cloud: Cloud, vpc: str) -> None:
    ec2 = cloud.client("ec2")
    assert ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.2.0/24")["Subnet"]["VpcId"] == vpc
    assert ec2.create_security_group(VpcId=vpc, GroupName="free", Description="d")["GroupId"]
