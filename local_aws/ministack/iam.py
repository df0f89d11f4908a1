"""Reads what IAM decisions need from MiniStack: sessions, roles, users, and policies of resources."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from local_aws.ministack.compat import require

iam = require(
    "services.iam",
    *("_access_keys", "_groups", "_group_inline_policies", "_lookup_policy", "_oidc_providers", "_roles"),
    *("_trust_policy_not_principal_error", "_user_inline_policies", "_users"),
)
sts = require(
    "services.sts",
    *("_gen_secret", "_gen_session_access_key", "_gen_session_token", "_role_id", "_sessions"),
    "register_session",
)
kms = require("services.kms", "_aliases", "_resolve_key")
s3 = require(
    "services.s3",
    *("_bucket_default_sse_headers", "_bucket_owner_account", "_buckets", "_foreign_bucket_allows"),
    "bucket_policy_for_arn",
)
sns = require("services.sns", "_topics", "topic_policy_for_arn")
sqs = require("services.sqs", "queue_policy_for_arn")
lambda_svc = require("services.lambda_svc", "function_policy_for_arn")
logs = require("services.cloudwatch_logs", "_log_group_policies", "_resource_policies")
ssm = require("services.ssm", "_parameters")
evaluator = require("core.iam_evaluator", "is_root_access_key")
app = require("app", "_extract_s3_vhost_bucket")
responses = require("core.responses", "get_account_id", "get_region", "request_scope")

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/")
KMS_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
Text = str | Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """The identity of an access key: temporary credentials or a user's."""

    arn: str
    token: str
    user_id: str
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


def patch_cross_account_buckets() -> None:
    """Leave the decision on a role and another account's bucket to our own authorization.

    MiniStack still decides on the access keys of accounts.
    """
    original = s3._foreign_bucket_allows

    def allows(*arguments: Any) -> bool:
        signed = _CREDENTIAL.search(arguments[-1].get("authorization", ""))
        return (signed is not None and not is_root(signed[1])) or bool(original(*arguments))

    s3._foreign_bucket_allows = allows


def scope(account: str) -> AbstractContextManager[None]:
    """Read the stores of an account."""
    context: AbstractContextManager[None] = responses.request_scope(account, responses.get_region())
    return context


def accounts() -> list[str]:
    """Return every account that has a role."""
    return list(dict.fromkeys(key[0] for key in list(iam._roles._data)))


def bucket_owner(bucket: str) -> str:
    """Return the account of a bucket, which its ARN does not have; the caller's for an unknown bucket."""
    return str(s3._bucket_owner_account(bucket) or responses.get_account_id())


def is_root(access_key: str) -> bool:
    """Return whether an access key is an account's own: `test`, or twelve digits."""
    return bool(evaluator.is_root_access_key(access_key))


def session(access_key: str) -> Session | None:
    """Return the identity of an access key, or None if it is unknown."""
    found = sts._sessions.get(access_key)
    if found is not None:
        expires = found.get("Expiration")
        passed = found.get("SessionPolicies")
        return Session(
            found["Arn"],
            found.get("SessionToken", ""),
            found.get("UserId", ""),
            expired=isinstance(expires, int | float) and time.time() > expires,
            tags={tag["Key"]: tag["Value"] for tag in found.get("SessionTags") or []},
            policies=_session_policies(passed) if passed else None,
        )
    for (account, key), record in iam._access_keys.to_dict().items():
        if key == access_key and record.get("Status") == "Active":
            with scope(account):
                user = iam._users.get(record["UserName"]) or {}
            return Session(user.get("Arn", ""), "", user.get("UserId", ""))
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


def resource_policy(service: str, arn: str) -> Text | None:
    """Return the policy of a resource of S3, KMS, SNS, SQS, Lambda or Logs, or None if it has none."""
    with scope(bucket_owner(_bucket(arn)) if service == "s3" else _owner(arn)):
        return _resource_policy(service, arn)


def _owner(arn: str) -> str:
    """Return the account of an ARN, or the caller's if it has none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else str(responses.get_account_id())


def _bucket(arn: str) -> str:
    return arn.partition(":::")[2].partition("/")[0]


def _resource_policy(service: str, arn: str) -> Text | None:
    lookups = {
        "s3": s3.bucket_policy_for_arn,
        "sns": sns.topic_policy_for_arn,
        "sqs": sqs.queue_policy_for_arn,
        "lambda": lambda_svc.function_policy_for_arn,
    }
    if service == "kms":
        return (kms._resolve_key(arn) or {}).get("Policy")
    if service == "logs":
        return _logs_policy(arn)
    found = lookups[service](arn) if service in lookups else None
    return found[0] or None if found else None


def key_arn(key: str) -> str:
    """Return the ARN of a KMS key from its id, ARN or alias; the argument itself if there is no such key."""
    with scope(_owner(key)):
        found = kms._resolve_key(key)
    return str(found["Arn"]) if found else key


def is_managed_key(arn: str) -> bool:
    """Return whether a key is an AWS managed key, as `alias/aws/s3`."""
    key = arn.rpartition("/")[2]
    with scope(_owner(arn)):
        return any(target == key and ":alias/aws/" in alias for alias, target in list(kms._aliases.items()))


def bucket_key(bucket: str) -> str:
    """Return the KMS key of a bucket's default encryption, or an empty string."""
    with scope(bucket_owner(bucket)):
        return str(s3._bucket_default_sse_headers(bucket).get(KMS_KEY, ""))


def object_key(bucket: str, key: str) -> str:
    """Return the KMS key of an object, or an empty string."""
    with scope(bucket_owner(bucket)):
        found = (s3._buckets.get(bucket) or {}).get("objects", {}).get(key) or {}
    return str(found.get("preserved_headers", {}).get(KMS_KEY, ""))


def topic_key(arn: str) -> str:
    """Return the KMS key of a topic, or an empty string."""
    with scope(_owner(arn)):
        topic = sns._topics.get(arn) or {}
    return str(topic.get("attributes", {}).get("KmsMasterKeyId", ""))


def parameter_key(name: str) -> str:
    """Return the KMS key of a SecureString, or an empty string."""
    return str((ssm._parameters.get(name) or {}).get("KeyId", ""))


def virtual_bucket(host: str) -> str:
    """Return the bucket in a virtual-hosted Host header, or an empty string."""
    return str(app._extract_s3_vhost_bucket(host) or "")


def _managed(arns: list[str]) -> dict[str, Text]:
    found = {arn: _document(arn) for arn in arns}
    return {arn: document for arn, document in found.items() if document is not None}


def _document(arn: str | None) -> Text | None:
    if not arn:
        return None
    # AWS managed policies have no account in their ARN.
    with scope(_owner(arn)):
        policy = iam._lookup_policy(arn)
    if not policy:
        return None
    version = policy["Versions"][policy["DefaultVersionId"]]
    found: Text | None = version.get("Document")
    return found


def _session_policies(passed: Mapping[str, Any]) -> tuple[Text, ...]:
    inline = [passed["Policy"]] if passed.get("Policy") else []
    return (*inline, *_managed(passed.get("PolicyArns", [])).values())


def _logs_policy(arn: str) -> Text | None:
    """Return the account's policies of Logs and the group's own as one document: any of them may allow."""
    statements: list[Any] = []
    group = arn.partition(":log-group:")[2].partition(":")[0]
    own = logs._log_group_policies.get(group)
    for policy in [*logs._resource_policies.values(), *([own] if own else [])]:
        document = json.loads(policy["policyDocument"])
        found = document.get("Statement", [])
        statements += found if isinstance(found, list) else [found]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None
