"""IAM's API and CloudFormation refuse malformed policies, and policies that cannot be attached."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

MANAGED = "arn:aws:iam::aws:policy/"
DEPLOY = MANAGED + "AWSCodeDeployRoleForECS"
PRINCIPAL = "Policy document should not specify a principal."
GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def policy(**changes: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**GOOD, **changes}]})


def test_a_malformed_trust_policy_is_refused(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    with pytest.raises(ClientError, match=r"MalformedPolicyDocument.*This policy contains invalid Json"):
        iam.create_role(RoleName="malformed", AssumeRolePolicyDocument="zz")
    iam.create_role(RoleName="well-formed", AssumeRolePolicyDocument=json.dumps(TRUST))
    invented = json.dumps(TRUST).replace("lambda.", "nope.")
    with pytest.raises(ClientError, match=r'Invalid principal in policy: "SERVICE":"nope\.amazonaws\.com"'):
        iam.update_assume_role_policy(RoleName="well-formed", PolicyDocument=invented)


def test_a_malformed_policy_is_refused(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="permitted", AssumeRolePolicyDocument=json.dumps(TRUST))
    document = policy(Principal="*")
    with pytest.raises(ClientError, match=f"MalformedPolicyDocument.*{PRINCIPAL}"):
        iam.put_role_policy(RoleName="permitted", PolicyName="p", PolicyDocument=document)
    with pytest.raises(ClientError, match=f"MalformedPolicyDocument.*{PRINCIPAL}"):
        iam.create_policy(PolicyName="p", PolicyDocument=document)
    without_version = json.dumps({"Statement": [GOOD]})
    iam.put_role_policy(RoleName="permitted", PolicyName="p", PolicyDocument=without_version)
    with pytest.raises(ClientError, match=r"must be version 2012-10-17 or greater"):
        iam.create_policy(PolicyName="p", PolicyDocument=without_version)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=policy())["Policy"]["Arn"]
    with pytest.raises(ClientError, match=r"MalformedPolicyDocument.*must be prefaced by a vendor"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(Action="GetObject"))


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Policies": [{"PolicyName": "p", "PolicyDocument": json.loads(policy(Principal="*"))}]}, PRINCIPAL),
        ({"ManagedPolicyArns": [f"{MANAGED}Invented"]}, "Invented does not exist or is not attachable"),
    ],
)
def test_a_role_of_a_template_is_checked_too(cloud: Cloud, properties: dict[str, Any], reason: str) -> None:
    role = {"Type": "AWS::IAM::Role", "AssumeRolePolicyDocument": TRUST, **properties}
    name = f"role-{next(iter(properties)).lower()}"
    assert cloud.create(name, template(Role=role)) == "ROLLBACK_COMPLETE"
    assert reason in cloud.reasons(name)


def test_an_attached_policy_of_aws_grants_what_it_grants_there_or_is_refused(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(ClientError, match=r"NoSuchEntity.*Invented does not exist or is not attachable"):
        iam.attach_role_policy(RoleName="deployer", PolicyArn=f"{MANAGED}Invented")
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*AmazonBraketFullAccess"):
        iam.attach_role_policy(RoleName="deployer", PolicyArn=f"{MANAGED}AmazonBraketFullAccess")
    iam.attach_role_policy(RoleName="deployer", PolicyArn=DEPLOY)
    version = iam.get_policy(PolicyArn=DEPLOY)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=DEPLOY, VersionId=version)["PolicyVersion"]["Document"]
    actions = [action for statement in found["Statement"] for action in statement["Action"]]
    assert {"ecs:CreateTaskSet", "elasticloadbalancing:ModifyListener", "iam:PassRole"} <= set(actions)
