"""The grammar of IAM's policy documents, with the messages of IAM's MalformedPolicyDocument.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
The messages: https://github.com/getmoto/moto/blob/master/tests/test_iam/test_iam_policies.py,
https://github.com/hashicorp/terraform/issues/13449, https://github.com/humanmade/S3-Uploads/issues/191
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_aws.core.policy_principals import principal_violation, principals

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
    "[0-9A-Za-z]*"
)
VERSIONS = ("2008-10-17", "2012-10-17")
OPERATORS = re.compile(
    r"(ForAnyValue:|ForAllValues:)?"
    r"(String(Not)?Equals(IgnoreCase)?|String(Not)?Like"
    r"|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null",
)
IAM_PATHS = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/"),
    *("policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)
_COMMON = {"Sid", "Effect", "Action", "NotAction", "Condition"}
_PRINCIPALS = {"Principal", "NotPrincipal"}
_IDENTITY = _COMMON | {"Resource", "NotResource"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/list_awssecuritytokenservice.html
TRUST_ACTION = re.compile(r"sts:[\w*?]+", re.IGNORECASE)

Document = str | Mapping[str, Any] | None
Statement = Mapping[str, Any]


def identity_violation(document: Document, *, managed: bool = False) -> str | None:
    """Return IAM's message for a malformed policy of a role, a user or a group, or None.

    Only a managed policy needs the newer version: https://github.com/wercker/step-s3sync/pull/25
    """
    policy = _parsed(document)
    statements = _statements(policy)
    if policy is None or not statements:
        return SYNTAX
    if any(_PRINCIPALS & statement.keys() for statement in statements):
        return "Policy document should not specify a principal."
    if not _has_syntax(policy) or not _are_statements(statements, _IDENTITY):
        return SYNTAX
    if managed and policy.get("Version") != VERSIONS[1]:
        return "Policy document must be version 2012-10-17 or greater."
    return _first(check(statements) for check in _IDENTITY_CHECKS)


def trust_violation(document: Document, is_service: Callable[[str], bool]) -> str | None:
    """Return IAM's message for a malformed trust policy, or None; `is_service` knows service principals."""
    policy = _parsed(document)
    if policy is None:
        return "This policy contains invalid Json"
    statements = _statements(policy)
    if not statements:
        return "Missing required field Statement"
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        return "Syntax error in policy."
    return _first(_trust_statement_violation(statement, is_service) for statement in statements)


def is_resource_policy(document: Document) -> bool:
    """Return whether a document is a policy of a resource: each statement has a principal and actions."""
    policy = _parsed(document)
    statements = _statements(policy)
    return (
        policy is not None
        and bool(statements)
        and _has_syntax(policy)
        and _are_statements(statements, _IDENTITY | _PRINCIPALS)
        and all(
            each["Effect"] in ("Allow", "Deny")
            and bool(_PRINCIPALS & each.keys())
            and bool(_texts(each, "Action"))
            and _prefix_violation([each]) is None
            for each in statements
        )
    )


def statements(document: Document) -> list[Statement]:
    """Return the statements of a policy."""
    return _statements(_parsed(document))


def _first(violations: Iterable[str | None]) -> str | None:
    return next(filter(None, violations), None)


def _parsed(document: Document) -> Mapping[str, Any] | None:
    """Return a document as a mapping, or None if it is not one."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except (ValueError, RecursionError):
        return None
    return policy if isinstance(policy, Mapping) else None


def _statements(policy: Mapping[str, Any] | None) -> list[Statement]:
    """Return the statements of a policy; none if one of them is no mapping."""
    given = policy.get("Statement") if policy is not None else None
    items = given if isinstance(given, list) else [given]
    statements = [each for each in items if isinstance(each, Mapping)]
    return statements if len(statements) == len(items) else []


def _has_syntax(policy: Mapping[str, Any]) -> bool:
    return (
        policy.keys() <= {"Version", "Id", "Statement"}
        and policy.get("Version", VERSIONS[0]) in VERSIONS
        and isinstance(policy.get("Id", ""), str)
    )


def _are_statements(statements: list[Statement], allowed: set[str]) -> bool:
    return all(_is_statement(each, allowed) for each in statements)


def _is_statement(statement: Statement, allowed: set[str]) -> bool:
    """Return whether a statement has known elements of the right types."""
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        value = statement.get(name, "")
        if not all(isinstance(each, str) for each in (value if isinstance(value, list) else [value])):
            return False
    return (
        statement.keys() <= allowed
        and str(statement.get("Effect", "")).lower() in ("allow", "deny")
        and isinstance(statement.get("Sid", ""), str)
        and not {"Action", "NotAction"} <= statement.keys()
        and not {"Resource", "NotResource"} <= statement.keys()
        and is_condition(statement.get("Condition", {}))
    )


def is_condition(condition: Any) -> bool:
    return isinstance(condition, Mapping) and all(
        isinstance(keys, Mapping)
        and (not keys or OPERATORS.fullmatch(operator) is not None)
        and all(isinstance(value, str | list | bool | int | float) for value in keys.values())
        for operator, keys in condition.items()
    )


def _is_not_legacy(statement: Statement) -> bool:
    return statement["Effect"] not in ("Allow", "Deny") or _has_wrong_date(statement)


def _has_wrong_date(statement: Statement) -> bool:
    """Return whether a condition on dates has a value that is neither a date of ISO 8601 nor a number."""
    return any(
        re.fullmatch(r"\d+|\d{4}(-\d\d(-\d\d(T[\d:.]+(Z|[+-][\d:]+)?)?)?)?", str(value)) is None
        for operator, keys in statement.get("Condition", {}).items()
        if "Date" in operator
        for values in keys.values()
        for value in (values if isinstance(values, list) else [values])
    )


def _texts(statement: Statement, name: str) -> list[str]:
    """Return the values of `Action` or `Resource`, or of the element with `Not`."""
    value = statement.get(name, statement.get(f"Not{name}", []))
    return value if isinstance(value, list) else [value]


def _legacy_violation(statements: list[Statement]) -> str | None:
    if any(map(_is_not_legacy, statements)):
        return LEGACY
    resources = [each for statement in statements for each in _texts(statement, "Resource")]
    short = [each for each in resources if each.startswith("arn:aws:") and each.count(":") < 5]
    return LEGACY if any(each.partition("arn:aws:")[2].count(":") >= 1 for each in short) else None


def _sid_violation(statements: list[Statement]) -> str | None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if not all(map(_is_alphanumeric, sids)):
        return SID
    return "Statement IDs (SID) in a single policy must be unique." if len(set(sids)) != len(sids) else None


def _is_alphanumeric(sid: str) -> bool:
    return re.fullmatch("[0-9A-Za-z]*", sid) is not None


def _prefix_violation(statements: list[Statement]) -> str | None:
    actions = [each for statement in statements for each in _texts(statement, "Action")]
    if any(":" not in each and each != "*" for each in actions):
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    return None


def _missing_violation(statements: list[Statement]) -> str | None:
    for name in ("Action", "Resource"):
        if not all(_texts(statement, name) for statement in statements):
            return f"Policy statement must contain {name.lower()}s."
    return None


def _resources_violation(statements: list[Statement]) -> str | None:
    resources = [each for statement in statements for each in _texts(statement, "Resource")]
    return _first(map(_resource_violation, resources))


def _resource_violation(resource: str) -> str | None:
    if resource == "*":
        return None
    _, *parts = resource.split(":", 5)
    if not parts:
        return f'Resource {resource} must be in ARN format or "*".'
    partition, *rest = parts
    if partition != "aws" and "*" not in partition:
        shown = ":".join([*rest, *["*"] * (4 - len(rest))])
        return f'Partition "{partition}" is not valid for resource "arn:{partition}:{shown}".'
    if not rest:
        return "Resource vendor must be fully qualified and cannot contain regexes."
    return _vendor_violation(resource, *rest)


def _vendor_violation(resource: str, service: str, *rest: str) -> str | None:
    path = rest[2] if len(rest) > 2 else ""
    # An access point of S3 has a region, and no bucket has.
    if service in ("iam", "s3") and rest and rest[0] not in ("", "*") and "accesspoint" not in path:
        words = "IAM resource {} cannot" if service == "iam" else "Resource {} can not"
        return f"{words.format(resource)} contain region information."
    if service == "iam" and path and not path.startswith((*IAM_PATHS, "*")):
        return f'IAM resource path must either be "*" or start with {", ".join(IAM_PATHS)}.'
    return None


def _action_violation(statements: list[Statement]) -> str | None:
    for action in [each for statement in statements for each in _texts(statement, "Action")]:
        vendor = action.partition(":")[0]
        if action.count(":") > 1:
            return "Actions/Condition can contain only one colon."
        if action != "*" and not re.fullmatch(r"[a-zA-Z0-9\-.]+", vendor):
            return f"Vendor {vendor} is not valid"
    return None


_IDENTITY_CHECKS = (
    _legacy_violation,
    _sid_violation,
    _prefix_violation,
    _missing_violation,
    _resources_violation,
    _action_violation,
)


def _trust_statement_violation(statement: Statement, is_service: Callable[[str], bool]) -> str | None:
    # MiniStack refuses NotPrincipal.
    present = {name.removeprefix("Not") for name in statement}
    if "Resource" in present:
        return "Has prohibited field Resource"
    for name in ("Effect", "Principal", "Action"):
        if name not in present:
            return f"Missing required field {name}"
    if not _is_trust_statement(statement):
        return "Syntax error in policy."
    if not all(TRUST_ACTION.fullmatch(each) for each in _texts(statement, "Action")):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    if not _is_alphanumeric(statement.get("Sid", "")):
        return SID
    return _first(principal_violation(*each, is_service) for each in principals(statement))


def _is_trust_statement(statement: Statement) -> bool:
    return (
        _is_statement(statement, _COMMON | _PRINCIPALS)
        and statement["Effect"] in ("Allow", "Deny")
        and isinstance(statement.get("Principal", ""), str | Mapping)
    )
