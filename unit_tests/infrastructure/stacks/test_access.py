"""The doors into an environment from outside its account, and the way of a release to other accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from infrastructure.config.settings import Config
from infrastructure.stacks.access import AccessStack, github_subjects
from tools.assembly import Assembly, Resource, references
from tools.synthesis import TRACEABLE
from unit_tests.infrastructure.synthesized import (
    Templates,
    context,
    listed,
    plain,
    statements,
    templates_of,
)

GITHUB = "token.actions.githubusercontent.com"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ROOTS = [f"arn:aws:iam::{account}:root" for account in ("111111111111", "222222222222", "333333333333")]


def role(templates: Templates, name: str) -> Resource:
    return templates.only("AWS::IAM::Role", RoleName=name)


def said(policy: Any, sid: str) -> dict[str, Any]:
    """The one statement of a resource's policy with this Sid."""
    (found,) = [each for each in policy["Statement"] if each.get("Sid") == sid]
    return dict(plain(found))


def readers(of: str) -> dict[str, Any]:
    """Whom a resource's policy admits: the accounts, and of them only these roles."""
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


def deploy_actions(templates: Templates) -> list[dict[str, Any]]:
    stages = templates.only("AWS::CodePipeline::Pipeline").properties["Stages"]
    assert [stage["Name"] for stage in stages] == ["Source", "Build", "Deploy"]
    return sorted(stages[2]["Actions"], key=lambda action: int(action["RunOrder"]))


def access_alone(folder: Path, **keys: object) -> Templates:
    """Synthesize the nested stack without its siblings, which takes a tenth of the time."""
    app = App(context={**context(), **TRACEABLE}, outdir=str(folder))
    config = Config.from_context(context(**keys))
    AccessStack(Stack(app, "Stack"), "Access", config=config)
    app.synth()
    return Templates.of(Assembly.read(folder))


def test_by_default_nobody_else_is_let_in(templates: Templates) -> None:
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
    """By account: IAM refuses the ARN of a role that does not exist yet (pitfall M2)."""
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
        "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
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
    """The key that names the others is the artifacts' one; both must admit a reader (pitfall M1)."""
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


def test_images_are_pulled_by_the_execution_roles_of_exactly_the_given_accounts(shared: Templates) -> None:
    policy = shared.only("AWS::ECR::Repository").properties["RepositoryPolicyText"]
    (statement,) = policy["Statement"]
    assert readers("execution-role").items() <= plain(statement).items()
    assert statement["Action"] == PULL
    assert "Resource" not in statement  # ECR refuses one.


def test_a_task_may_pull_the_images_of_a_trusted_account(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "execution-role-dev"))}
    assert may["PullImagesOfTrustedAccounts"]["Action"] == PULL
    assert may["PullImagesOfTrustedAccounts"]["Resource"] == [
        f"arn:aws:ecr:us-east-1:{account}:repository/images-*" for account in ("111111111111", "222222222222")
    ]


def test_the_policies_name_no_account_that_was_not_given(shared: Templates) -> None:
    text = json.dumps(shared.by_part)
    found = {text[at + 13 : at + 25] for at in range(len(text)) if text.startswith("arn:aws:iam::", at)}
    assert {account for account in found if account.isdigit()} == {
        "111111111111",
        "222222222222",
        "333333333333",
    }


def test_each_promotion_is_an_approval_and_a_release_after_the_one_before(shared: Templates) -> None:
    actions = deploy_actions(shared)
    assert [(action["Name"], action["RunOrder"]) for action in actions] == [
        ("Deploy", 1),
        ("Approve-staging", 2),
        ("Deploy-staging", 3),
        ("Approve-prod", 4),
        ("Deploy-prod", 5),
    ]
    kinds = [action["ActionTypeId"]["Provider"] for action in actions]
    assert kinds == ["CodeDeployToECS", "Manual", "CodeDeployToECS", "Manual", "CodeDeployToECS"]


def test_a_promotion_releases_the_same_image_with_the_other_environments_task_definition(
    shared: Templates,
) -> None:
    here, _, staging, _, _ = deploy_actions(shared)
    assert staging["Configuration"] == {
        **here["Configuration"],
        "ApplicationName": "application-staging",
        "DeploymentGroupName": "deployment-group-staging",
        "TaskDefinitionTemplatePath": "taskdef-staging.json",
        "AppSpecTemplatePath": "appspec-staging.yaml",
    }
    assert staging["InputArtifacts"] == here["InputArtifacts"]
    assert staging["RoleArn"] == "arn:aws:iam::222222222222:role/cross-account-role-staging"


def test_the_build_is_told_what_differs_in_each_environment(shared: Templates) -> None:
    variables = shared.only("AWS::CodeBuild::Project").properties["Environment"]["EnvironmentVariables"]
    (value,) = [each["Value"] for each in variables if each["Name"] == "PROMOTE_TO"]
    given = json.loads(value)
    assert list(given) == ["staging", "prod"]
    assert given["prod"] == {
        "TASK_FAMILY": "task-prod",
        "TASK_ROLE_ARN": "arn:aws:iam::333333333333:role/task-role-prod",
        "EXECUTION_ROLE_ARN": "arn:aws:iam::333333333333:role/execution-role-prod",
        "TASK_LOG_GROUP": "/ecs/task-prod",
        "TASK_CPU": "512",
        "TASK_MEMORY": "1024",
        "TEST_TRAFFIC_HOOK": "test-traffic-hook-prod",
    }
    # Whatever of the build's variables names this environment must be named anew for the other.
    own = {
        each["Name"] for each in variables if "dev" in plain(each["Value"]) or "Role" in plain(each["Value"])
    }
    own -= {"PROMOTE_TO", "IMAGE_REPOSITORY_URI", "DOCKER_HUB_USERNAME", "DOCKER_HUB_PASSWORD_PARAMETER"}
    assert own <= set(given["prod"])


def test_an_approval_tells_the_topic_with_a_link_to_the_commit(shared: Templates) -> None:
    _, approval, *_ = deploy_actions(shared)
    topic = shared.only("AWS::SNS::Topic")
    assert plain(approval["Configuration"]["NotificationArn"]) == f"<{topic.id}>"
    assert "/repositories/repository-dev/commit/#{" in approval["Configuration"]["ExternalEntityLink"]
    assert "staging in account 222222222222" in approval["Configuration"]["CustomData"]
    asks = role(shared, "approval-action-role-dev")
    assert {action for each in statements(asks) for action in each["Action"]} == {
        "sns:Publish",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_the_pipeline_may_take_on_exactly_the_roles_of_its_promotions(shared: Templates) -> None:
    may = {each["Sid"]: each for each in statements(role(shared, "pipeline-role-dev"))}
    own = "arn:aws:iam::<AWS::AccountId>:role"
    assert set(may["TakeOnTheActionsRoles"]["Resource"]) == {
        f"{own}/source-action-role-dev",
        f"{own}/build-action-role-dev",
        f"{own}/deploy-action-role-dev",
        f"{own}/approval-action-role-dev",
        "arn:aws:iam::222222222222:role/cross-account-role-staging",
        "arn:aws:iam::333333333333:role/cross-account-role-prod",
    }


def test_no_support_stack_is_made_for_other_accounts() -> None:
    """Where the CDK knows both accounts, its own actions would add one; `synthesize` counts the stacks."""
    templates = templates_of(account="123456789012", promoteTo="staging@222222222222")
    assert [each["RunOrder"] for each in deploy_actions(templates)] == [1, 2, 3]


def test_github_is_trusted_for_the_named_branches_and_environments_in_both_forms(shared: Templates) -> None:
    """Repositories made or renamed since July 2026 send their ids in `sub` (pitfall M4)."""
    (trust,) = role(shared, "github-role-dev").properties["AssumeRolePolicyDocument"]["Statement"]
    assert plain(trust) == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::<AWS::AccountId>:oidc-provider/{GITHUB}"},
        "Condition": {
            "StringEquals": {
                f"{GITHUB}:aud": "sts.amazonaws.com",
                f"{GITHUB}:sub": [
                    "repo:acme/greeter:ref:refs/heads/main",
                    "repo:acme/greeter:ref:refs/heads/release/1",
                    "repo:acme/greeter:environment:dev",
                    "repo:acme@1234567/greeter@7654321:ref:refs/heads/main",
                    "repo:acme@1234567/greeter@7654321:ref:refs/heads/release/1",
                    "repo:acme@1234567/greeter@7654321:environment:dev",
                ],
            }
        },
    }


def subjects(**keys: object) -> list[str]:
    return github_subjects(Config.from_context(context(**keys)), "acme/greeter")


def test_only_the_main_branch_is_trusted_unless_others_are_named() -> None:
    assert subjects() == [
        "repo:acme/greeter:ref:refs/heads/main",
        "repo:acme@*/greeter@*:ref:refs/heads/main",
    ]


def test_an_environment_of_github_shuts_out_the_jobs_that_do_not_name_it() -> None:
    """Else any job of main would pass by the reviewers of the environment."""
    assert subjects(githubEnvironments="prod", githubOwnerId="1", githubRepositoryId="2") == [
        "repo:acme/greeter:environment:prod",
        "repo:acme@1/greeter@2:environment:prod",
    ]


@pytest.mark.parametrize("suffix", ["staging", "prod"])
def test_staging_and_prod_trust_their_environment_of_github_and_no_branch(suffix: str) -> None:
    assert subjects(environmentSuffix=suffix, githubOwnerId="1", githubRepositoryId="2") == [
        f"repo:acme/greeter:environment:{suffix}",
        f"repo:acme@1/greeter@2:environment:{suffix}",
    ]


def test_an_unknown_id_is_the_only_wildcard_of_a_subject(tmp_path: Path) -> None:
    templates = access_alone(tmp_path, githubRepository="acme/greeter", githubOwnerId="1")
    (trust,) = role(templates, "github-role-dev").properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringLike"] == {
        f"{GITHUB}:sub": [
            "repo:acme/greeter:ref:refs/heads/main",
            "repo:acme@1/greeter@*:ref:refs/heads/main",
        ]
    }
    assert not templates.resources("AWS::IAM::OIDCProvider")  # imported by default (pitfall M3)


def test_github_may_take_on_the_roles_of_cdk_bootstrap_and_do_nothing_itself(shared: Templates) -> None:
    (may,) = statements(role(shared, "github-role-dev"))
    assert may["Action"] == ["sts:AssumeRole"]
    assert may["Resource"] == [
        f"arn:aws:iam::<AWS::AccountId>:role/cdk-hnb659fds-{name}-role-<AWS::AccountId>-us-east-1"
        for name in ("deploy", "file-publishing", "lookup")
    ]


def test_a_provider_that_is_made_stands_before_the_role_that_trusts_it(shared: Templates) -> None:
    """CloudFormation's own resource: the CDK's older one is a Lambda (pitfalls H1, M3)."""
    provider = shared.only("AWS::IAM::OIDCProvider")
    assert provider.properties["Url"] == f"https://{GITHUB}"
    assert provider.properties["ClientIdList"] == ["sts.amazonaws.com"]
    assert provider.id in role(shared, "github-role-dev").depends_on


def test_the_access_stack_waits_for_no_other(shared: Templates) -> None:
    """It names what it means, so it cannot be part of a circle (pitfall K1)."""
    assert "Parameters" not in shared.by_part["access"]
    nested = [each for each in shared.resources("AWS::CloudFormation::Stack") if each.id.startswith("Access")]
    assert [each.depends_on for each in nested] == [set()]


def test_a_key_alone_makes_only_its_own_resource(tmp_path: Path) -> None:
    templates = access_alone(tmp_path, createGithubOidcProvider="true")
    assert [each.type for each in templates.resources(part="access")] == ["AWS::IAM::OIDCProvider"]
    assert listed(templates.only("AWS::IAM::OIDCProvider").body["DeletionPolicy"]) == ["Delete"]
