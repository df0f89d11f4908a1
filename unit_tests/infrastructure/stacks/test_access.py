"""The access of other accounts: the cross-account role, and the policies of artifacts and images."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tools.assembly import Resource, references
from unit_tests.infrastructure.synthesized import (
    Templates,
    plain,
    role,
    statements,
    templates_of,
)

PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]
SOURCES = {"qa": "111111111111", "test": "222222222222"}
TARGETS = {"staging": "222222222222", "prod": "333333333333"}


def roots(accounts: Iterable[str]) -> list[str]:
    return [f"arn:aws:iam::{account}:root" for account in accounts]


def said(policy: Any, sid: str) -> dict[str, Any]:
    """The one statement of a resource's policy with this Sid."""
    (found,) = [each for each in policy["Statement"] if each.get("Sid") == sid]
    return dict(plain(found))


def readers(of: str) -> dict[str, Any]:
    """Return the principals of a resource policy: the accounts, and only these roles of them."""
    return {
        "Principal": {"AWS": roots(TARGETS.values())},
        "Condition": {
            "ArnEquals": {
                "aws:PrincipalArn": [
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
        allowed = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
        assert "PrincipalArn" not in json.dumps(allowed)
    assert "Namespace" not in json.dumps(templates.only("AWS::CodePipeline::Pipeline").body)


def test_the_cross_account_role_trusts_exactly_the_pipelines_of_the_named_environments(
    shared: Templates,
) -> None:
    """By account: IAM rejects the ARN of a role that does not exist yet (pitfall M2)."""
    document = role(shared, "cross-account-role-dev").properties["AssumeRolePolicyDocument"]
    assert plain(document["Statement"]) == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/pipeline-role-{source}"}
            },
        }
        for source, account in SOURCES.items()
    ]


def trust(found: Resource) -> list[tuple[str, str]]:
    """Return the account and the only principal of each statement of a trust policy."""
    policy = plain(found.properties["AssumeRolePolicyDocument"]["Statement"])
    assert all(each["Action"] == "sts:AssumeRole" and each["Effect"] == "Allow" for each in policy)
    assert all(set(each["Condition"]) == {"ArnEquals"} for each in policy)
    return [(each["Principal"]["AWS"], each["Condition"]["ArnEquals"]["aws:PrincipalArn"]) for each in policy]


def test_only_the_approvers_whom_the_target_names_get_the_role_that_approves(shared: Templates) -> None:
    approver = role(shared, "approver-role-dev")
    assert trust(approver) == [
        ("arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:role/team/managers"),
        ("arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:user/mary"),
    ]
    parameter = "arn:aws:ssm:us-east-1:<AWS::AccountId>:parameter/approvals-dev/image"
    assert [(may["Action"], may["Resource"]) for may in statements(approver)] == [
        (
            ["sts:AssumeRole"],
            [
                f"arn:aws:iam::{account}:role/approval-role-dev-{source}"
                for source, account in SOURCES.items()
            ],
        ),
        (["ssm:GetParameterHistory", "ssm:PutParameter"], [parameter]),
    ]


def test_no_other_role_may_write_what_approvers_write(shared: Templates) -> None:
    """Attack G18: neither a pipeline nor a build approves."""
    writers = {
        plain(each.properties["RoleName"])
        for each in shared.resources("AWS::IAM::Role")
        for statement in statements(each)
        if "ssm:PutParameter" in statement["Action"] and statement["Sid"] != "RememberWhatWasTold"
    }
    assert writers == {"approver-role-dev"}
    parameter = shared.only("AWS::SSM::Parameter", Name="/approvals-dev/image")
    assert parameter.properties["Value"] == "none"


def test_the_role_that_approves_is_for_one_promotion_and_for_the_approvers_of_its_target(
    shared: Templates,
) -> None:
    own = "arn:aws:codepipeline:us-east-1:<AWS::AccountId>"
    for target, account in TARGETS.items():
        approval = role(shared, f"approval-role-{target}-dev")
        approver = f"arn:aws:iam::{account}:role/approver-role-{target}"
        assert trust(approval) == [(f"arn:aws:iam::{account}:root", approver)]
        may = {action: each["Resource"] for each in statements(approval) for action in each["Action"]}
        assert may.pop("codepipeline:PutApprovalResult") == [
            f"{own}:pipeline-dev/Promote-{target}/Approve-{target}"
        ]
        projects = own.replace("codepipeline", "codebuild") + ":project"
        assert may.pop("codebuild:BatchGetProjects") == [
            f"{projects}/{name}-dev" for name in ("build", "promotion", "test")
        ]
        assert all(action.startswith(("codepipeline:Get", "codepipeline:List")) for action in may)
        assert list(may.values()) == [[f"{own}:pipeline-dev"]] * 5


def test_without_named_approvers_there_is_no_approver_role() -> None:
    found = templates_of(promotedFrom="qa@111111111111")
    names = {each.properties["RoleName"] for each in found.resources("AWS::IAM::Role", "access")}
    assert names == {"cross-account-role-dev"}
    assert not [
        each
        for each in found.resources("AWS::SSM::Parameter")
        if plain(each.properties["Name"]).startswith("/approvals")
    ]
    hook = found.only("AWS::Lambda::Function", FunctionName="test-traffic-hook-dev")
    assert "APPROVED_IMAGE" not in hook.properties["Environment"]["Variables"]


def test_artifacts_are_read_from_buckets_of_the_named_environments_only(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "cross-account-role-dev"))}
    fetch, decrypt = may["FetchArtifactsToRelease"], may["DecryptArtifactsToRelease"]
    assert fetch["Resource"] == [
        "arn:aws:s3:::artifacts-qa-111111111111-us-east-1/*",
        "arn:aws:s3:::artifacts-test-222222222222-us-east-1/*",
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
        each for each in shared.resources("AWS::KMS::Key") if "OtherAccounts" in json.dumps(each.properties)
    ]
    decrypt = said(key.properties["KeyPolicy"], "OtherAccountsDecryptArtifacts")
    assert readers("cross-account-role").items() <= decrypt.items()
    assert decrypt["Action"] == "kms:Decrypt"
    (encryption,) = shared.only("AWS::S3::Bucket").properties["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert key.id in references(encryption)


def test_images_are_copied_here_by_the_promotion_roles_of_exactly_the_named_environments(
    shared: Templates,
) -> None:
    policy = shared.only("AWS::ECR::Repository").properties["RepositoryPolicyText"]
    (statement,) = policy["Statement"]
    assert plain(statement)["Principal"] == {"AWS": roots(SOURCES.values())}
    assert plain(statement)["Condition"]["ArnEquals"]["aws:PrincipalArn"] == [
        f"arn:aws:iam::{account}:role/promotion-role-{source}" for source, account in SOURCES.items()
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
