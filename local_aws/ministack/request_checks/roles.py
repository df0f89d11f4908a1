"""What IAM and STS refuse.

The codes and quotas: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html (Errors),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, and for a request that the model
does not allow https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.policy_grammar import identity_violation
from local_aws.core.tag_rules import LIMIT
from local_aws.ministack.iam import iam
from local_aws.ministack.request_checks.rules import Checks, Rule, Test, unlike
from local_aws.ministack.request_checks.tags import TagCodes

POLICY_ARN = r"arn:aws[\w-]*:iam::(\d{12}|aws):policy/.+"
PROVIDER_ARN = r"arn:aws[\w-]*:iam::\d{12}:oidc-provider/.+"
LINKED = "/aws-service-role/"
# Of the quotas: characters without white space, policies of a role, and access keys of a user.
ROLE_POLICY, MANAGED_POLICY, TRUST_POLICY = 10240, 6144, 2048
ATTACHED, ACCESS_KEYS = 10, 2
# The policies of service-linked roles are for them alone.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html#API_AttachRolePolicy_Errors
NOT_FOR_SERVICES = {
    "AttachRolePolicy": "PolicyArn",
    "AttachUserPolicy": "PolicyArn",
    "PutRolePermissionsBoundary": "PermissionsBoundary",
}
CHANGES_OF_ROLES = (
    *("AttachRolePolicy", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy"),
    *("DetachRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy", "UpdateAssumeRolePolicy"),
    *("UpdateRole", "UpdateRoleDescription"),
)


def _longer_than(size: int) -> Test:
    return lambda document: len("".join(str(document).split())) > size


def _is_linked(name: str) -> bool:
    return str((iam._roles.get(name) or {}).get("Path")).startswith(LINKED)


def _is_missing_policy(arn: str) -> bool:
    return not iam._lookup_policy(arn)


def _is_full(params: Mapping[str, Any]) -> bool:
    attached = (iam._roles.get(params["RoleName"]) or {}).get("AttachedPolicies", [])
    return bool(params["PolicyArn"] not in attached and len(attached) >= ATTACHED)


def _has_keys(name: str) -> bool:
    return len([key for key in iam._access_keys.values() if key.get("UserName") == name]) >= ACCESS_KEYS


def _too_long(size: int, owner: str, operations: tuple[str, ...]) -> Rule:
    message = f"Maximum policy size of {size} bytes exceeded for {owner}"
    return Rule("PolicyDocument", _longer_than(size), "LimitExceeded", message, operations)


def _unless(operations: tuple[str, ...], member: str, test: Test, message: str) -> Rule:
    return Rule(member, test, "InvalidInput", message, besides=operations)


def _has_too_many_tags(params: Mapping[str, Any]) -> bool:
    stored = (iam._roles.get(params["RoleName"]) or {}).get("Tags") or []
    return len({tag["Key"] for tag in [*stored, *params["Tags"]]}) > LIMIT


CHECKS = Checks(
    invalid="ValidationError",
    states=(
        _unless((), "PolicyArn", unlike(POLICY_ARN), "ARN {} is not valid."),
        _unless((), "PermissionsBoundary", unlike(POLICY_ARN), "ARN {} is not valid."),
        _unless((), "OpenIDConnectProviderArn", unlike(PROVIDER_ARN), "Invalid ARN: {}"),
        Rule(
            "Url",
            unlike("https://.+"),
            "InvalidInput",
            "Invalid Open ID Connect Provider URL",
            ("CreateOpenIDConnectProvider",),
        ),
        *(
            Rule(
                member,
                lambda arn: str(arn).startswith("arn:aws:iam::aws:policy/aws-service-role/"),
                "PolicyNotAttachable",
                "Cannot attach a Service Role Policy to a Customer Role.",
                (operation,),
            )
            for operation, member in NOT_FOR_SERVICES.items()
        ),
        Rule(
            "AWSServiceName",
            unlike(r"[\w.-]+\.amazonaws\.com"),
            "InvalidInput",
            "Service principal {} is not valid",
        ),
        Rule(
            "PermissionsBoundary",
            _is_missing_policy,
            "NoSuchEntity",
            "Scope ARN: {} does not exist or is not attachable.",
        ),
        Rule(
            "RoleName",
            _is_linked,
            "UnmodifiableEntity",
            "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
            CHANGES_OF_ROLES,
        ),
        _too_long(ROLE_POLICY, "role", ("PutRolePolicy",)),
        _too_long(MANAGED_POLICY, "policy", ("CreatePolicy", "CreatePolicyVersion")),
        _too_long(TRUST_POLICY, "role", ("UpdateAssumeRolePolicy",)),
        Rule(
            "",
            _is_full,
            "LimitExceeded",
            f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}",
            ("AttachRolePolicy",),
        ),
        Rule(
            "",
            _has_too_many_tags,
            "LimitExceeded",
            f"Cannot exceed quota for TagsPerRole: {LIMIT}",
            ("TagRole",),
        ),
        Rule(
            "UserName",
            _has_keys,
            "LimitExceeded",
            f"Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS}",
            ("CreateAccessKey",),
        ),
    ),
    tags=TagCodes("InvalidInput", duplicate="InvalidInput", ignores_case=True),
)
SESSIONS = Checks(
    invalid="ValidationError",
    states=(
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors
        Rule(
            "Policy",
            lambda text: bool(text) and identity_violation(text) is not None,
            "MalformedPolicyDocument",
            "The policy is not in the valid JSON format.",
            ("AssumeRole", "AssumeRoleWithWebIdentity"),
        ),
    ),
    tags=TagCodes("ValidationError"),
)
