"""Pitfalls of access from other accounts and from GitHub Actions."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.local import SECOND_ACCOUNT
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import Resources, synthesized
from integration_tests.support.github import HOST, assume_role

ROLLED_BACK = "ROLLBACK_COMPLETE"
BY_NAME, BY_ID = (f"repo:{names}:ref:refs/heads/main" for names in ("acme/greeter", "acme@11/greeter@22"))
GITHUB = ("githubRepository=acme/greeter", "githubOwnerId=11", "githubRepositoryId=22")
ACCESS_SETTINGS = (*GITHUB, "createGithubOidcProvider=true", f"promotedFrom=qa@{SECOND_ACCOUNT}")


def with_access(cloud: Cloud, *names: str) -> Resources:
    """Return resources of the app with access for other accounts and for GitHub."""
    return synthesized(cloud, *ACCESS_SETTINGS).part(*names)


def test_a_trust_policy_with_a_missing_role_is_rejected(cloud: Cloud, second_account: Cloud) -> None:
    """pitfall M2: the synthesized policy trusts the account, with the role's name as a condition."""
    resources = with_access(cloud, "AccessCrossAccountRole")
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
    (statement,) = resources["AccessCrossAccountRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    missing = f"arn:aws:iam::{second_account.account.id}:role/pipeline-role-qa"
    statement["Principal"] = {"AWS": missing}
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == ROLLED_BACK
        assert f'Invalid principal in policy: "AWS":"{missing}"' in stack.failures()


def test_an_account_has_one_provider_for_github(cloud: Cloud) -> None:
    """pitfall M3: by default the stack refers to the account's provider; one environment may create it."""
    provider = with_access(cloud, "AccessGithubProvider")
    with temporary_stack(cloud, provider) as first:
        assert first.final_status() == CREATED, first.failures()
        with temporary_stack(cloud, provider) as second:
            assert second.final_status() == ROLLED_BACK
            assert f"Provider with url https://{HOST} already exists" in second.failures()
        without = synthesized(cloud, *GITHUB).part("AccessGithubRole")
        with temporary_stack(cloud, without) as third:
            assert third.final_status() == CREATED, third.failures()


def job(stack: Stack, sub: str) -> dict[str, Any]:
    """Assume the role as a GitHub job whose token has this `sub`."""
    answer = assume_role(stack.cloud, stack.physical_name("github-role-the-suffix"), sub)
    found: dict[str, Any] = answer["AssumedRoleUser"]
    return found


def test_a_trust_policy_by_name_alone_rejects_githubs_new_subject(cloud: Cloud) -> None:
    """pitfall M4: new repositories have their ids in `sub`; a role without ids accepts both forms."""
    resources = synthesized(cloud, "githubRepository=acme/greeter", "createGithubOidcProvider=true").part(
        "AccessGithubRole", "AccessGithubProvider"
    )
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        assert all(job(stack, sub)["Arn"].endswith("/job") for sub in (BY_NAME, BY_ID))
    trust = resources["AccessGithubRole"]["Properties"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringLike"][f"{HOST}:sub"] = [BY_NAME]
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        assert job(stack, BY_NAME)
        with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
            job(stack, BY_ID)
