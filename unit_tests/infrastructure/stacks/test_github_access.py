"""The role and the OIDC provider for deployments from GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App, Stack

from infrastructure.config.settings import Config
from infrastructure.stacks.access import AccessStack, github_subjects
from tools.assembly import Assembly
from tools.synthesis import TRACEABLE
from unit_tests.infrastructure.synthesized import (
    Templates,
    context,
    listed,
    plain,
    role,
    statements,
)

GITHUB = "token.actions.githubusercontent.com"


def access_alone(folder: Path, **keys: object) -> Templates:
    """Synthesize the nested stack without its siblings, which takes a tenth of the time."""
    app = App(context={**context(), **TRACEABLE}, outdir=str(folder))
    config = Config.from_context(context(**keys))
    AccessStack(Stack(app, "Stack"), "Access", config=config)
    app.synth()
    return Templates.of(Assembly.read(folder))


def test_with_its_ids_github_is_trusted_for_the_named_branches_and_environments_by_them_alone(
    shared: Templates,
) -> None:
    """A name can change hands, an id cannot (pitfall M4)."""
    (trust,) = role(shared, "github-role-dev").properties["AssumeRolePolicyDocument"]["Statement"]
    assert plain(trust) == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::<AWS::AccountId>:oidc-provider/{GITHUB}"},
        "Condition": {
            "StringEquals": {
                f"{GITHUB}:aud": "sts.amazonaws.com",
                f"{GITHUB}:sub": [
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
    """In both forms of a subject, as no id is given (pitfall M4)."""
    assert subjects() == [
        "repo:acme/greeter:ref:refs/heads/main",
        "repo:acme@*/greeter@*:ref:refs/heads/main",
    ]


def test_with_a_github_environment_jobs_without_it_are_not_trusted() -> None:
    """Otherwise any job of main would bypass the reviewers of the environment."""
    assert subjects(githubEnvironments="prod", githubOwnerId="1", githubRepositoryId="2") == [
        "repo:acme@1/greeter@2:environment:prod",
    ]


@pytest.mark.parametrize("suffix", ["staging", "prod"])
def test_staging_and_prod_trust_their_environment_of_github_and_no_branch(suffix: str) -> None:
    assert subjects(environmentSuffix=suffix, githubOwnerId="1", githubRepositoryId="2") == [
        f"repo:acme@1/greeter@2:environment:{suffix}",
    ]


def test_an_unknown_id_is_the_only_wildcard_of_a_subject(tmp_path: Path) -> None:
    templates = access_alone(tmp_path, githubRepository="acme/greeter", githubOwnerId="1")
    (trust,) = role(templates, "github-role-dev").properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringLike"] == {
        f"{GITHUB}:sub": [
            "repo:acme@1/greeter@*:ref:refs/heads/main",
        ]
    }
    assert not templates.resources("AWS::IAM::OIDCProvider")  # imported by default (pitfall M3)


def test_github_may_assume_the_roles_of_cdk_bootstrap_and_otherwise_only_read(shared: Templates) -> None:
    allowed = list(statements(role(shared, "github-role-dev")))
    (may,) = [each for each in allowed if "sts:AssumeRole" in each["Action"]]
    assert may["Action"] == ["sts:AssumeRole"]
    others = {action.partition(":")[2] for each in allowed if each is not may for action in each["Action"]}
    assert all(name.startswith(("Describe", "Get", "List")) for name in others)
    assert may["Resource"] == [
        f"arn:aws:iam::<AWS::AccountId>:role/cdk-hnb659fds-{name}-role-<AWS::AccountId>-us-east-1"
        for name in ("deploy", "file-publishing", "lookup")
    ]


def test_a_provider_is_created_before_the_role_that_trusts_it(shared: Templates) -> None:
    """It is CloudFormation's own resource: the CDK's older one is a Lambda function (pitfalls H1, M3)."""
    provider = shared.only("AWS::IAM::OIDCProvider")
    assert provider.properties["Url"] == f"https://{GITHUB}"
    assert provider.properties["ClientIdList"] == ["sts.amazonaws.com"]
    assert provider.id in role(shared, "github-role-dev").depends_on


def test_a_key_alone_creates_only_its_own_resource(tmp_path: Path) -> None:
    templates = access_alone(tmp_path, createGithubOidcProvider="true")
    assert [each.type for each in templates.resources(part="access")] == ["AWS::IAM::OIDCProvider"]
    assert listed(templates.only("AWS::IAM::OIDCProvider").body["DeletionPolicy"]) == ["Delete"]
