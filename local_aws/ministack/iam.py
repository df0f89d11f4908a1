"""Reads identities from MiniStack: sessions, roles and users with their policies, and OIDC providers."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.ministack.account_scope import account_of, scope
from local_aws.ministack.compat import require

iam = require(
    "services.iam",
    *("_access_keys", "_groups", "_group_inline_policies", "_lookup_policy", "_oidc_providers", "_roles"),
    *("_trust_policy_not_principal_error", "_user_inline_policies", "_users", "attach_managed_policy"),
    *("_aws_managed_policies", "_error", "_IAM_HANDLERS", "_make_aws_managed_record", "_p", "store_policy"),
    *("_attach_role_policy", "_attach_user_policy", "_attach_group_policy"),
    *("_create_policy", "_create_policy_version"),
)
sts = require(
    "services.sts",
    *("_gen_secret", "_gen_session_access_key", "_gen_session_token", "_role_id", "_sessions"),
    "register_session",
)

# A policy document.
Text = str | Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """The identity of an access key: temporary credentials or a user's."""

    arn: str
    token: str
    user_id: str
    secret: str = field(repr=False)
    expired: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    policies: tuple[Text, ...] | None = None


@dataclass(frozen=True)
class Entity:
    """A role or a user: its policies by name, and a role's trust policy."""

    arn: str
    policies: Mapping[str, Text]
    boundary: Text | None = None
    trust: Text | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def accounts() -> list[str]:
    """Return every account that has a role."""
    return list(dict.fromkeys(key[0] for key in list(iam._roles._data)))


def is_root(access_key: str) -> bool:
    """Return whether an access key is that of an account's root user: the account's twelve digits."""
    return len(access_key) == 12 and access_key.isascii() and access_key.isdigit()


def session(access_key: str) -> Session | None:
    """Return the identity of an access key, or None if it is unknown."""
    found = sts._sessions.get(access_key)
    return _user_session(access_key) if found is None else _temporary_session(found)


def _temporary_session(record: Mapping[str, Any]) -> Session:
    expires = record.get("Expiration")
    passed = record.get("SessionPolicies")
    return Session(
        record["Arn"],
        record.get("SessionToken", ""),
        record.get("UserId", ""),
        record["SecretAccessKey"],
        expired=isinstance(expires, int | float) and time.time() > expires,
        tags={tag["Key"]: tag["Value"] for tag in record.get("SessionTags") or []},
        policies=_session_policies(passed) if passed else None,
    )


def _user_session(access_key: str) -> Session | None:
    for (account, key), record in iam._access_keys.to_dict().items():
        if key == access_key and record.get("Status") == "Active":
            with scope(account):
                found = iam._users.get(record["UserName"]) or {}
            return Session(found.get("Arn", ""), "", found.get("UserId", ""), record["SecretAccessKey"])
    return None


def role(account: str, name: str) -> Entity | None:
    """Return a role by its name."""
    found = iam._roles.get_scoped(account, None, name)
    if found is None:
        return None
    return Entity(
        found["Arn"],
        {**(found.get("InlinePolicies") or {}), **_managed(found.get("AttachedPolicies", []))},
        _document(found.get("PermissionsBoundary")),
        found.get("AssumeRolePolicyDocument"),
        {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []},
    )


def roles(account: str) -> Iterator[tuple[str, Entity]]:
    """Yield every role of an account with its name."""
    for owner, name in list(iam._roles._data):
        found = role(account, name) if owner == account else None
        if found is not None:
            yield name, found


def user(account: str, name: str) -> Entity | None:
    """Return a user by its name, with the policies of its groups."""
    with scope(account):
        return _user(name)


def _user(name: str) -> Entity | None:
    found = iam._users.get(name)
    if found is None:
        return None
    policies = {**(iam._user_inline_policies.get(name) or {}), **_managed(found.get("AttachedPolicies", []))}
    for group, about in list(iam._groups.items()):
        if name in about.get("Users", []):
            policies |= iam._group_inline_policies.get(group) or {}
            policies |= _managed(about.get("AttachedPolicies", []))
    return Entity(found["Arn"], policies, _document(found.get("PermissionsBoundary")))


def give_session(role_arn: str, name: str) -> dict[str, str]:
    """Create credentials of a role, as STS does for AWS's own services."""
    account = role_arn.split(":")[4]
    credentials = {
        "AccessKeyId": str(sts._gen_session_access_key()),
        "SecretAccessKey": str(sts._gen_secret()),
        "SessionToken": str(sts._gen_session_token()),
    }
    role_name = role_arn.rpartition("/")[2]
    sts.register_session(
        credentials["AccessKeyId"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
            "UserId": f"{sts._role_id(role_arn)}:{name}",
            "SecretAccessKey": credentials["SecretAccessKey"],
            "SessionToken": credentials["SessionToken"],
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return credentials


def identity_providers(account: str) -> dict[str, list[str]]:
    """Return the client ids of an account's OpenID Connect providers, by ARN."""
    with scope(account):
        return {arn: list(found.get("ClientIDList", [])) for arn, found in list(iam._oidc_providers.items())}


def _managed(arns: list[str]) -> dict[str, Text]:
    found = {arn: _document(arn) for arn in arns}
    return {arn: document for arn, document in found.items() if document is not None}


def _document(arn: str | None) -> Text | None:
    if not arn:
        return None
    # AWS managed policies have no account in their ARN.
    with scope(account_of(arn)):
        policy = iam._lookup_policy(arn)
    if not policy:
        return None
    version = policy["Versions"][policy["DefaultVersionId"]]
    found: Text | None = version.get("Document")
    return found


def _session_policies(passed: Mapping[str, Any]) -> tuple[Text, ...]:
    inline = [passed["Policy"]] if passed.get("Policy") else []
    return (*inline, *_managed(passed.get("PolicyArns", [])).values())
