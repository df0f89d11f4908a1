"""CloudFormation detects drift of what is really there, with the permissions of the caller."""

import json
from typing import Any

import boto3
import pytest

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

ALLOWED = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [ALLOWED]}
ROLE = {
    "Type": "AWS::IAM::Role",
    "RoleName": "watched",
    "AssumeRolePolicyDocument": TRUST,
    "Policies": [{"PolicyName": "p", "PolicyDocument": DOCUMENT}],
}
RULE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8", "Description": "inside"}
GROUP = {"Type": "AWS::EC2::SecurityGroup", "GroupDescription": "g", "SecurityGroupIngress": [RULE]}
SSH: list[dict[str, Any]] = [
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
]
DETECT = ["cloudformation:DetectStackDrift", "cloudformation:Describe*"]
READ_ROLES = ["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"]


def detect(client: Any, stack: str) -> tuple[str, dict[str, str]]:
    """Detect drift; return the status of the detection, and that of each resource that it checked."""
    id_ = client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    status = client.describe_stack_drift_detection_status(StackDriftDetectionId=id_)["DetectionStatus"]
    drifts = client.describe_stack_resource_drifts(StackName=stack)["StackResourceDrifts"]
    return status, {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in drifts}


def user_of(cloud: Cloud, name: str, actions: list[str]) -> Any:
    """Return a client of a new user who may do only this."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": [{**ALLOWED, "Action": actions}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "cloudformation",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


@pytest.fixture(scope="module", autouse=True)
def stack(cloud: Cloud) -> None:
    repository = {"Type": "AWS::ECR::Repository", "RepositoryName": "images"}
    body = template(Role=ROLE, Group=GROUP, Repository=repository)
    assert cloud.create("watched", body) == "CREATE_COMPLETE"


def test_what_is_as_in_the_template_is_in_sync_and_what_cannot_be_read_is_not_checked(cloud: Cloud) -> None:
    client = cloud.client("cloudformation")
    assert detect(client, "watched") == (
        "DETECTION_COMPLETE",
        {"Role": "IN_SYNC", "Group": "IN_SYNC"},
    )
    (repository,) = [
        each
        for each in client.describe_stack_resources(StackName="watched")["StackResources"]
        if each["LogicalResourceId"] == "Repository"
    ]
    assert repository["DriftInformation"]["StackResourceDriftStatus"] == "NOT_CHECKED"


def test_a_policy_and_a_rule_that_were_added_are_drift_until_they_are_removed(cloud: Cloud) -> None:
    iam, ec2 = cloud.client("iam"), cloud.client("ec2")
    group = cloud.physical("watched", "Group")
    iam.put_role_policy(RoleName="watched", PolicyName="added", PolicyDocument=json.dumps(DOCUMENT))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=SSH)
    client = cloud.client("cloudformation")
    assert detect(client, "watched")[1] == {"Role": "MODIFIED", "Group": "MODIFIED"}
    paths = {
        each["LogicalResourceId"]: [one["PropertyPath"] for one in each["PropertyDifferences"]]
        for each in client.describe_stack_resource_drifts(StackName="watched")["StackResourceDrifts"]
    }
    assert paths == {"Role": ["/Policies/1"], "Group": ["/SecurityGroupIngress/1"]}
    iam.delete_role_policy(RoleName="watched", PolicyName="added")
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=SSH)
    assert detect(client, "watched")[1] == {"Role": "IN_SYNC", "Group": "IN_SYNC"}


def test_a_policy_added_to_a_role_without_policies_is_no_drift(cloud: Cloud) -> None:
    """CloudFormation compares what the template sets (pitfall N11)."""
    role = {"Type": "AWS::IAM::Role", "RoleName": "bare", "AssumeRolePolicyDocument": TRUST}
    assert cloud.create("bare", template(Role=role)) == "CREATE_COMPLETE"
    cloud.client("iam").put_role_policy(
        RoleName="bare", PolicyName="added", PolicyDocument=json.dumps(DOCUMENT)
    )
    assert detect(cloud.client("cloudformation"), "bare") == ("DETECTION_COMPLETE", {"Role": "IN_SYNC"})


def test_a_caller_who_may_not_read_a_resource_gets_a_failed_detection(cloud: Cloud) -> None:
    """CloudFormation reads as its caller (pitfall N11)."""
    client = user_of(cloud, "detects", [*DETECT, *READ_ROLES])
    assert detect(client, "watched") == ("DETECTION_FAILED", {"Role": "IN_SYNC", "Group": "UNKNOWN"})


def test_a_caller_who_may_read_every_type_gets_a_result(cloud: Cloud) -> None:
    client = user_of(cloud, "reads", [*DETECT, *READ_ROLES, "ec2:DescribeSecurityGroups"])
    assert detect(client, "watched") == ("DETECTION_COMPLETE", {"Role": "IN_SYNC", "Group": "IN_SYNC"})
