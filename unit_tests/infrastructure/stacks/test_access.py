"""The access of other accounts: the cross-account role, and the policies of artifacts and images."""

from __future__ import annotations

import json
from typing import Any

from tools.assembly import references
from unit_tests.infrastructure.synthesized import (
    Templates,
    plain,
    role,
    statements,
)

PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]
ROOTS = [f"arn:aws:iam::{account}:root" for account in ("111111111111", "222222222222", "333333333333")]


def said(policy: Any, sid: str) -> dict[str, Any]:
    """The one statement of a resource's policy with this Sid."""
    (found,) = [each for each in policy["Statement"] if each.get("Sid") == sid]
    return dict(plain(found))


def readers(of: str) -> dict[str, Any]:
    """Return the principals of a resource policy: the accounts, and only these roles of them."""
    return {
        "Principal": {"AWS": ROOTS},
        "Condition": {
            "ArnLike": {
                "aws:PrincipalArn": [
                    f"arn:aws:iam::111111111111:role/{of}-*",
                    f"arn:aws:iam::222222222222:role/{of}-staging",
                    f"arn:aws:iam::333333333333:role/{of}-prod",
                ]
            }
        },
    }


def test_by_default_no_other_account_has_access(templates: Templates) -> None:
    assert "access" not in templates.by_part
    assert "RepositoryPolicyText" not in templates.only("AWS::ECR::Repository").properties
    for policy in (
        templates.only("AWS::S3::BucketPolicy").properties["PolicyDocument"],
        *(key.properties["KeyPolicy"] for key in templates.resources("AWS::KMS::Key")),
    ):
        assert "PrincipalArn" not in json.dumps(policy)
    assert "Namespace" not in json.dumps(templates.only("AWS::CodePipeline::Pipeline").body)


def test_the_cross_account_role_trusts_the_pipelines_of_exactly_the_trusted_accounts(
    shared: Templates,
) -> None:
    """By account: IAM rejects the ARN of a role that does not exist yet (pitfall M2)."""
    document = role(shared, "cross-account-role-dev").properties["AssumeRolePolicyDocument"]
    assert plain(document["Statement"]) == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/pipeline-role-*"}},
        }
        for account in ("111111111111", "222222222222")
    ]


def test_the_cross_account_role_releases_here_and_no_more(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "cross-account-role-dev"))}
    own = "us-east-1:<AWS::AccountId>"
    assert may["StartTheDeployment"]["Resource"] == [
        f"arn:aws:codedeploy:{own}:deploymentgroup:application-dev/deployment-group-dev"
    ]
    assert sorted(may["PassTheTasksRoles"]["Resource"]) == [
        "arn:aws:iam::<AWS::AccountId>:role/execution-role-dev",
        "arn:aws:iam::<AWS::AccountId>:role/task-role-dev",
    ]
    assert may["PassTheTasksRoles"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"]}
    }
    assert {action for each in may.values() for action in each["Action"]} == {
        "codedeploy:GetApplication",
        "codedeploy:GetApplicationRevision",
        "codedeploy:RegisterApplicationRevision",
        "codedeploy:CreateDeployment",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "ecs:RegisterTaskDefinition",
        "iam:PassRole",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetBucketLocation",
        "kms:Decrypt",
    }
    assert [sid for sid, each in may.items() if "*" in each["Resource"]] == ["RegisterTheTaskDefinition"]


def test_artifacts_are_read_from_buckets_of_the_trusted_accounts_only(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "cross-account-role-dev"))}
    fetch, decrypt = may["FetchArtifactsOfTrustedAccounts"], may["DecryptArtifactsOfTrustedAccounts"]
    assert fetch["Resource"] == [
        "arn:aws:s3:::artifacts-*-111111111111-us-east-1/*",
        "arn:aws:s3:::artifacts-*-222222222222-us-east-1/*",
    ]
    assert fetch["Condition"] == {"StringEquals": {"aws:ResourceAccount": ["111111111111", "222222222222"]}}
    assert decrypt["Resource"] == [
        "arn:aws:kms:us-east-1:111111111111:key/*",
        "arn:aws:kms:us-east-1:222222222222:key/*",
    ]
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


def test_the_artifact_key_and_bucket_admit_exactly_the_given_accounts(shared: Templates) -> None:
    """Bucket and key must both allow a reader (pitfall M1)."""
    bucket = shared.only("AWS::S3::BucketPolicy").properties["PolicyDocument"]
    for sid in ("OtherAccountsFetchArtifacts", "OtherAccountsFindArtifacts"):
        assert readers("cross-account-role").items() <= said(bucket, sid).items()
    assert said(bucket, "OtherAccountsFetchArtifacts")["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    (key,) = [
        each for each in shared.resources("AWS::KMS::Key") if "PrincipalArn" in json.dumps(each.properties)
    ]
    decrypt = said(key.properties["KeyPolicy"], "OtherAccountsDecryptArtifacts")
    assert readers("cross-account-role").items() <= decrypt.items()
    assert decrypt["Action"] == "kms:Decrypt"
    (encryption,) = shared.only("AWS::S3::Bucket").properties["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert key.id in references(encryption)


def test_images_are_copied_here_by_the_promotion_roles_of_exactly_the_trusted_accounts(
    shared: Templates,
) -> None:
    policy = shared.only("AWS::ECR::Repository").properties["RepositoryPolicyText"]
    (statement,) = policy["Statement"]
    assert plain(statement)["Principal"] == {"AWS": ROOTS[:2]}
    assert plain(statement)["Condition"]["ArnLike"]["aws:PrincipalArn"] == [
        f"arn:aws:iam::{account}:role/promotion-role-*" for account in ("111111111111", "222222222222")
    ]
    assert statement["Action"] == PUSH
    assert "Resource" not in statement  # ECR rejects one.


def test_a_task_pulls_only_from_the_repository_of_its_environment(shared: Templates) -> None:
    pulls = [
        each
        for each in statements(role(shared, "execution-role-dev"))
        if "ecr:BatchGetImage" in each["Action"]
    ]
    assert [each["Resource"] for each in pulls] == [[f"<{shared.only('AWS::ECR::Repository').id}.Arn>"]]


def test_the_policies_name_only_the_configured_accounts(shared: Templates) -> None:
    text = json.dumps(shared.by_part)
    found = {text[at + 13 : at + 25] for at in range(len(text)) if text.startswith("arn:aws:iam::", at)}
    assert {account for account in found if account.isdigit()} == {
        "111111111111",
        "222222222222",
        "333333333333",
    }


def test_the_access_stack_depends_on_no_other(shared: Templates) -> None:
    """It refers to names only, so it cannot be part of a cycle (pitfall K1)."""
    assert "Parameters" not in shared.by_part["access"]
    nested = [each for each in shared.resources("AWS::CloudFormation::Stack") if each.id.startswith("Access")]
    guard = {each.id for each in shared.resources("Custom::SettingsGuard")}
    assert [each.depends_on for each in nested] == [guard]
