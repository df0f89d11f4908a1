"""The key that signs images: who may sign, and who may verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.assembly import Resource
from unit_tests.infrastructure.synthesized import Templates, plain, statements, synthesize


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """An environment that is promoted from two others, and promotes to one."""
    folder: Path = tmp_path_factory.mktemp("peers")
    return synthesize(
        folder,
        account="123456789012",
        promotedFrom="qa@111111111111,next@222222222222",
        promoteTo="prod@333333333333",
    )


def key(templates: Templates) -> Resource:
    return templates.only("AWS::KMS::Key", KeyUsage="SIGN_VERIFY")


def statement(templates: Templates, sid: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (
        each for each in plain(key(templates).properties["KeyPolicy"]["Statement"]) if each.get("Sid") == sid
    )
    return found


def test_the_key_is_one_that_cosign_can_use_and_has_a_name(templates: Templates) -> None:
    assert key(templates).properties["KeySpec"] == "ECC_NIST_P256"
    alias = templates.only("AWS::KMS::Alias", AliasName="alias/signing-key-dev")
    assert plain(alias.properties["TargetKeyId"]) == f"<{key(templates).id}.Arn>"


def test_nobody_but_the_role_of_build_signs(templates: Templates) -> None:
    denied = statement(templates, "OnlyBuildSigns")
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == ("Deny", "kms:Sign", {"AWS": "*"})
    role = "arn:aws:iam::<AWS::AccountId>:role/build-role-dev"
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": role}}
    signers = [
        each.properties["RoleName"]
        for each in templates.resources("AWS::IAM::Role")
        if any("kms:Sign" in one["Action"] for one in statements(each))
    ]
    assert signers == ["build-role-dev"]


def test_the_hooks_of_the_environments_that_are_promoted_to_verify_and_no_others(
    templates: Templates, peers: Templates
) -> None:
    allowed = statement(peers, "OtherEnvironmentsVerify")
    assert allowed["Action"] == "kms:Verify"
    assert allowed["Principal"] == {"AWS": "arn:aws:iam::333333333333:root"}
    hook = "arn:aws:iam::333333333333:role/test-traffic-hook-role-prod"
    assert allowed["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [hook]}}
    alone = plain(key(templates).properties["KeyPolicy"]["Statement"])
    assert "OtherEnvironmentsVerify" not in str(alone)


def test_the_hook_trusts_the_keys_of_exactly_the_environments_that_the_settings_name(
    peers: Templates,
) -> None:
    hook = peers.only("AWS::Lambda::Function", FunctionName="test-traffic-hook-dev").properties
    assert plain(hook["Environment"]["Variables"])["SIGNING_KEYS"].split(",") == [
        "arn:aws:kms:us-east-1:123456789012:alias/signing-key-dev",
        "arn:aws:kms:us-east-1:111111111111:alias/signing-key-qa",
        "arn:aws:kms:us-east-1:222222222222:alias/signing-key-next",
    ]
    role = peers.only("AWS::IAM::Role", RoleName="test-traffic-hook-role-dev")
    verify = [each for each in statements(role) if each["Action"] == ["kms:Verify"]]
    assert [(each["Resource"], each.get("Condition")) for each in verify] == [
        ([f"<{key(peers).id}.Arn>"], None),
        (
            [f"arn:aws:kms:us-east-1:{account}:key/*" for account in ("111111111111", "222222222222")],
            {"StringEquals": {"kms:RequestAlias": ["alias/signing-key-next", "alias/signing-key-qa"]}},
        ),
    ]
