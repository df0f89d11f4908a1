"""VPCs, endpoints and flow logs in CloudFormation, as EC2 has them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud, Template, template

VPC: dict[str, Template] = {"Vpc": {"Type": "AWS::EC2::VPC", "CidrBlock": "10.0.0.0/16"}}
TABLE: dict[str, Template] = {"Table": {"Type": "AWS::EC2::RouteTable", "VpcId": {"Ref": "Vpc"}}}
ENDPOINT: Template = {
    "Type": "AWS::EC2::VPCEndpoint",
    "VpcId": {"Ref": "Vpc"},
    "ServiceName": "com.amazonaws.us-east-1.s3",
    "VpcEndpointType": "Gateway",
    "RouteTableIds": [{"Ref": "Table"}],
    "Tags": [{"Key": "Name", "Value": "s3-endpoint-dev"}],
}
FLOW_LOG: Template = {
    "Type": "AWS::EC2::FlowLog",
    "ResourceId": {"Ref": "Vpc"},
    "ResourceType": "VPC",
    "TrafficType": "ALL",
    "LogDestinationType": "cloud-watch-logs",
    "LogGroupName": "/vpc/flow-logs-dev",
    "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flow-log-role-dev",
    "Tags": [{"Key": "Name", "Value": "flow-log-dev"}],
}


def default_group(cloud: Cloud, vpc: str) -> dict[str, Any]:
    wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (found,) = cloud.client("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
    group: dict[str, Any] = found
    return group


@pytest.mark.parametrize("way", ["stack", "API"])
def test_a_new_vpc_has_a_default_group_that_admits_its_members_until_its_rules_are_removed(
    cloud: Cloud, way: str
) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html (pitfall H9)."""
    ec2 = cloud.client("ec2")
    if way == "stack":
        assert cloud.create("network", template(**VPC)) == "CREATE_COMPLETE"
        vpc = cloud.physical("network", "Vpc")
    else:
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = default_group(cloud, vpc)
    name = group["GroupId"]
    members = [{"GroupId": name, "UserId": "123456789012"}]
    (rule,) = group["IpPermissions"]
    assert (rule["IpProtocol"], rule["UserIdGroupPairs"]) == ("-1", members)
    # As the function of the CDK does it.
    ec2.revoke_security_group_ingress(
        GroupId=name, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": members}]
    )
    everywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=name, IpPermissions=everywhere)
    closed = default_group(cloud, vpc)
    assert (closed["IpPermissions"], closed["IpPermissionsEgress"]) == ([], [])


def test_an_endpoint_belongs_to_its_vpc_which_cannot_be_deleted_before_it(cloud: Cloud) -> None:
    body = template(**VPC, **TABLE, S3=ENDPOINT)
    assert cloud.create("endpoint", body) == "CREATE_COMPLETE"
    (found,) = cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert {"Key": "Name", "Value": "s3-endpoint-dev"} in found["Tags"]
    table = cloud.physical("endpoint", "Table")
    assert found["RouteTableIds"] == [table]
    assert cloud.delete("endpoint") == "DELETE_COMPLETE"
    assert cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_vpc_with_an_endpoint_of_another_stack_cannot_be_deleted(cloud: Cloud) -> None:
    assert cloud.create("held", template(**VPC)) == "CREATE_COMPLETE"
    ec2 = cloud.client("ec2")
    held = ec2.create_vpc_endpoint(
        VpcId=cloud.physical("held", "Vpc"), ServiceName="com.amazonaws.us-east-1.s3"
    )["VpcEndpoint"]["VpcEndpointId"]
    assert cloud.delete("held") == "DELETE_FAILED"
    assert "has dependencies and cannot be deleted" in cloud.reasons("held")
    ec2.delete_vpc_endpoints(VpcEndpointIds=[held])
    assert cloud.delete("held") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"Second": {**ENDPOINT, "VpcId": {"Fn::GetAtt": ["First", "VpcId"]}}}, "already has a route"),
        ({"Second": {**ENDPOINT, "RouteTableIds": ["rtb-0"]}}, "'rtb-0' does not exist"),
    ],
)
def test_an_endpoint_that_ec2_rejects_fails_its_stack(
    cloud: Cloud, wrong: dict[str, Template], says: str
) -> None:
    second = {**wrong["Second"], "VpcId": {"Ref": "Vpc"}}
    body = template(**VPC, **TABLE, First=ENDPOINT, Second=second)
    assert cloud.create("wrong", body) == "ROLLBACK_COMPLETE"
    assert says in cloud.reasons("wrong")
    assert cloud.delete("wrong") == "DELETE_COMPLETE"


def test_a_flow_log_is_created_with_its_tags_and_deleted_with_its_stack(cloud: Cloud) -> None:
    assert cloud.create("flow", template(**VPC, Log=FLOW_LOG)) == "CREATE_COMPLETE"
    (found,) = cloud.client("ec2").describe_flow_logs()["FlowLogs"]
    assert found["ResourceId"] == cloud.physical("flow", "Vpc")
    assert {"Key": "Name", "Value": "flow-log-dev"} in found["Tags"]
    assert cloud.delete("flow") == "DELETE_COMPLETE"
    assert cloud.client("ec2").describe_flow_logs()["FlowLogs"] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ResourceType": "Subnet"}, "local_aws does not support flow logs of Subnet"),
        ({"ResourceId": "vpc-0"}, "vpc-0"),
    ],
)
def test_a_flow_log_of_something_else_is_rejected(cloud: Cloud, change: Template, says: str) -> None:
    assert cloud.create("odd", template(**VPC, Log={**FLOW_LOG, **change})) == "ROLLBACK_COMPLETE"
    assert says in cloud.reasons("odd")
    assert cloud.delete("odd") == "DELETE_COMPLETE"


def test_a_stack_with_termination_protection_cannot_be_deleted(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")
    assert cloud.create("protected", template(Topic={"Type": "AWS::SNS::Topic"})) == "CREATE_COMPLETE"
    cloudformation.update_termination_protection(StackName="protected", EnableTerminationProtection=True)
    with pytest.raises(ClientError) as error:
        cloud.delete("protected")
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert "cannot be deleted while TerminationProtection is enabled" in str(error.value)
    cloudformation.update_termination_protection(StackName="protected", EnableTerminationProtection=False)
    assert cloud.delete("protected") == "DELETE_COMPLETE"
