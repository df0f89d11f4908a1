"""Policy evaluation as AWS documents it: deny first, then allow, in one account and across two.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from typing import Any

import pytest

from local_aws.iam.documents import parse
from local_aws.iam.principals import Caller, service
from unit_tests.local_aws.iam.signed_requests import (
    ACCOUNT,
    BUCKET,
    OBJECT,
    OTHER,
    ROLE,
    SESSION,
    USER,
    allow,
    ask,
    deny,
    policy,
)

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
EVERYTHING = policy(allow())


def test_a_request_is_denied_by_default() -> None:
    decision = ask()
    assert not decision.allowed
    assert decision.reason == "because no identity-based policy allows the s3:GetObject action"


def test_a_decision_names_the_statement_that_allowed() -> None:
    decision = ask(policy(allow("s3:PutObject"), allow("s3:GetObject"), owner="mine"))
    assert decision.allowed
    assert decision.by == (("mine", 1),)


@pytest.mark.parametrize("where", ["identity", "resource", "boundary", "session"])
def test_an_explicit_deny_overrides_every_allow(where: str) -> None:
    given: dict[str, Any] = {"boundary": EVERYTHING, "session": EVERYTHING}
    identity = [EVERYTHING]
    if where == "identity":
        identity.append(policy(deny("s3:*")))
    elif where == "resource":
        given["resource"] = policy(deny("s3:*", Principal="*"), allow(Principal="*"))
    else:
        given[where] = policy(allow(), deny("s3:*"))
    decision = ask(*identity, **given)
    assert not decision.allowed
    assert decision.reason.startswith("with an explicit deny in a")
    assert ask(*identity, action="ecs:RunTask", **given).allowed


@pytest.mark.parametrize(
    ("statement", "action", "about", "allowed"),
    [
        (allow("s3:GetObject", OBJECT), "s3:GetObject", OBJECT, True),
        (allow("S3:getobject", OBJECT), "s3:GetObject", OBJECT, True),
        (allow("s3:Get*", OBJECT), "s3:GetObject", OBJECT, True),
        (allow("s3:Get*", OBJECT), "s3:PutObject", OBJECT, False),
        (allow("s3:GetObjec?", OBJECT), "s3:GetObject", OBJECT, True),
        (allow("s3:GetObjec?", OBJECT), "s3:GetObjects2", OBJECT, False),
        (allow("s3:GetObject", BUCKET), "s3:GetObject", OBJECT, False),
        (allow("s3:GetObject", f"{BUCKET}/*"), "s3:GetObject", f"{BUCKET}/a/b/c", True),
        (allow("s3:GetObject", "arn:aws:s3:::B/k"), "s3:GetObject", OBJECT, False),
        (allow("s3:GetObject", "arn:aws:s3:::b.k"), "s3:GetObject", "arn:aws:s3:::bxk", False),
        (allow(["ecs:RunTask", "s3:GetObject"], ["x", OBJECT]), "s3:GetObject", OBJECT, True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "s3:GetObject", OBJECT, True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:PassRole", ROLE, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": OBJECT}, "s3:GetObject", OBJECT, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": OBJECT}, "s3:GetObject", f"{OBJECT}2", True),
    ],
)
def test_actions_and_resources_match_by_wildcard(
    statement: dict[str, Any], action: str, about: str, allowed: bool
) -> None:
    assert ask(policy(statement), action=action, about=about).allowed is allowed


@pytest.mark.parametrize(
    ("version", "about", "allowed"),
    [
        ("2012-10-17", f"{BUCKET}/ann/x", True),
        ("2012-10-17", f"{BUCKET}/bob/x", False),
        # The old language has no variables: the text itself is meant.
        ("2008-10-17", f"{BUCKET}/ann/x", False),
        ("2008-10-17", f"{BUCKET}/${{aws:username}}/x", True),
    ],
)
def test_a_policy_variable_has_the_request_s_value(version: str, about: str, allowed: bool) -> None:
    own = policy(allow("s3:GetObject", f"{BUCKET}/${{aws:username}}/*"), version=version)
    assert ask(own, caller=USER, about=about, aws__username="ann").allowed is allowed


def test_a_variable_without_a_value_matches_nothing_unless_it_has_a_default() -> None:
    bare = policy(allow("s3:GetObject", f"{BUCKET}/${{aws:PrincipalTag/team}}/*"))
    with_default = policy(allow("s3:GetObject", f"{BUCKET}/${{aws:PrincipalTag/team, 'all'}}/*"))
    assert not ask(bare, about=f"{BUCKET}/x/y").allowed
    assert ask(with_default, about=f"{BUCKET}/all/y").allowed
    assert not ask(with_default, about=f"{BUCKET}/x/y").allowed


def test_a_variable_s_value_has_no_wildcards() -> None:
    own = policy(allow("s3:GetObject", f"{BUCKET}/${{aws:username}}/*"))
    assert not ask(own, caller=USER, about=f"{BUCKET}/bob/x", aws__username="*").allowed


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/path/builder"}, True),
        ({"AWS": SESSION.arn}, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, False),
        ({"AWS": f"arn:aws:iam::{OTHER}:role/builder"}, False),
        ({"AWS": [f"arn:aws:iam::{OTHER}:root", ROLE]}, True),
        # A whole account: its own policies decide, and there are none.
        ({"AWS": ROOT}, False),
        ({"AWS": ACCOUNT}, False),
        ({"Service": "codebuild.amazonaws.com"}, False),
    ],
)
def test_a_resource_based_policy_alone_allows_its_principals(principal: Any, allowed: bool) -> None:
    decision = ask(resource=policy(allow("s3:GetObject", f"{BUCKET}/*", Principal=principal)))
    assert decision.allowed is allowed


def test_not_principal_denies_all_other_principals() -> None:
    others = {**deny("s3:*"), "NotPrincipal": {"AWS": [ROLE, SESSION.arn, ROOT]}}
    assert ask(EVERYTHING, resource=policy(others)).allowed
    assert not ask(
        EVERYTHING, resource=policy(others), caller=Caller(f"arn:aws:iam::{OTHER}:user/x", OTHER)
    ).allowed


@pytest.mark.parametrize(
    ("principal", "identity", "allowed"),
    [
        (None, True, False),
        ({"AWS": ROLE}, False, False),
        ({"AWS": ROLE}, True, True),
        ({"AWS": ROOT}, True, True),
        ({"AWS": ROOT}, False, False),
        ({"AWS": f"arn:aws:iam::{OTHER}:root"}, True, False),
    ],
)
def test_across_accounts_both_policies_must_allow(principal: Any, identity: bool, allowed: bool) -> None:
    own = [EVERYTHING] if identity else []
    bucket = policy(allow("s3:GetObject", f"{BUCKET}/*", Principal=principal)) if principal else None
    assert ask(*own, resource=bucket, owner=OTHER).allowed is allowed


def test_a_boundary_limits_across_accounts_too() -> None:
    bucket = policy(allow("s3:GetObject", f"{BUCKET}/*", Principal={"AWS": ROOT}))
    narrow = policy(allow("ecs:*"))
    decision = ask(EVERYTHING, resource=bucket, owner=OTHER, boundary=narrow)
    assert decision.reason == "because no permissions boundary allows the s3:GetObject action"


@pytest.mark.parametrize(
    ("principal", "identity", "allowed"),
    [
        ({"AWS": ROOT}, True, True),
        ({"AWS": ROOT}, False, False),
        ({"AWS": ROLE}, False, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, True, False),
    ],
)
def test_a_key_policy_must_allow_its_own_account_too(principal: Any, identity: bool, allowed: bool) -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
    own = [EVERYTHING] if identity else []
    decision = ask(
        *own,
        resource=policy(allow("kms:*", Principal=principal)),
        action="kms:Decrypt",
        about=key,
        required=True,
    )
    assert decision.allowed is allowed


def test_a_boundary_limits_permissions_and_grants_none() -> None:
    boundary = policy(allow("s3:*"))
    assert not ask(boundary=boundary).allowed
    assert ask(EVERYTHING, boundary=boundary).allowed
    denied = ask(EVERYTHING, boundary=boundary, action="ecs:RunTask", about="*")
    assert denied.reason == "because no permissions boundary allows the ecs:RunTask action"


def test_a_session_policy_limits_a_grant_to_the_role_but_not_one_to_the_session() -> None:
    narrow = policy(allow("ecs:*"))
    to_role = policy(allow("s3:GetObject", Principal={"AWS": ROLE}))
    to_session = policy(allow("s3:GetObject", Principal={"AWS": SESSION.arn}))
    assert not ask(resource=to_role, session=narrow).allowed
    assert ask(resource=to_session, session=narrow).allowed


def test_a_service_principal_needs_a_statement_that_names_it() -> None:
    events = service("events.amazonaws.com")
    topic = policy(allow("sns:Publish", Principal={"Service": "events.amazonaws.com"}))
    assert ask(resource=topic, caller=events, action="sns:Publish").allowed
    other = ask(resource=topic, caller=service("cloudwatch.amazonaws.com"), action="sns:Publish")
    assert not other.allowed
    assert other.reason == "because no resource-based policy allows the sns:Publish action"


def test_only_a_trusted_service_assumes_a_role_for_its_resource() -> None:
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/p-*"}},
        }
    )

    def assumes(name: str, project: str) -> bool:
        source = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/{project}"
        given = {"resource": trust, "action": "sts:AssumeRole", "about": ROLE, "required": True}
        return ask(caller=service(name), aws__SourceArn=source, **given).allowed  # type: ignore[arg-type]

    assert assumes("codebuild.amazonaws.com", "p-dev")
    assert not assumes("codebuild.amazonaws.com", "q-dev")
    assert not assumes("codepipeline.amazonaws.com", "p-dev")


@pytest.mark.parametrize("text", ["[]", '{"Statement": [{"Effect": "Maybe"}]}', "no JSON"])
def test_an_invalid_policy_document_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"policy|Effect|Expecting"):
        parse(text)
