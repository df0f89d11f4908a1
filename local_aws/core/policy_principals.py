"""The principals of policies, with IAM's message for one that cannot be a principal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Statement = Mapping[str, Any]

# Those that are not services; IAM knows a deleted role or user by its unique id.
PRINCIPALS = {
    "AWS": re.compile(r"\*|\d{12}|arn:aws[\w-]*:(iam|sts)::\d{12}:.+|A[A-Z0-9]{15,}"),
    "Federated": re.compile(r"arn:aws[\w-]*:iam::\d{12}:(saml|oidc)-provider/.+|[\w-]+(\.[\w-]+)+"),
    "CanonicalUser": re.compile(r"[0-9a-f]{64}"),
}


def principals(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the kind and value of each principal; the text `*` is everybody of AWS."""
    given = statement.get("Principal", {})
    for kind, values in given.items() if isinstance(given, Mapping) else [("AWS", given)]:
        for value in values if isinstance(values, list) else [values]:
            yield str(kind), str(value)


def has_principals(statement: Statement) -> bool:
    """Return whether the principals of a statement that are not services can exist."""
    return all(principal_violation(*each, lambda _: True) is None for each in principals(statement))


def principal_violation(kind: str, value: str, is_service: Callable[[str], bool]) -> str | None:
    """Return IAM's message for a principal of a kind that cannot be one."""
    if kind == "Service" and is_service(value):
        return None
    pattern = PRINCIPALS.get(kind)
    if pattern is not None and pattern.fullmatch(value):
        return None
    shown = kind if kind == "AWS" else kind.upper()
    return f'Invalid principal in policy: "{shown}":"{value}"'
