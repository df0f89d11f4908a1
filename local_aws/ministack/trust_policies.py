"""Rejects a trust policy that names a role or user which does not exist, as IAM does (pitfall M2)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local_aws.ministack import iam as stored

_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)")


class Statement(Protocol):
    """A statement of a parsed policy document."""

    @property
    def principals(self) -> Mapping[str, tuple[str, ...]] | None:
        """The values of Principal by their type (`AWS`, `Service`...)."""


class PolicyDocument(Protocol):
    """A parsed policy document."""

    @property
    def statements(self) -> Sequence[Statement]:
        """Its statements."""


Parse = Callable[[str], PolicyDocument]
Document = str | Mapping[str, Any] | None


def patch_trust_policy_validation(parse: Parse) -> None:
    """Check every trust policy, of IAM's API and of CloudFormation. `parse` reads a policy document."""
    original = stored.iam._trust_policy_not_principal_error

    def error(document: Document) -> str | None:
        return original(document) or missing_principal(document, parse)

    stored.iam._trust_policy_not_principal_error = error


def missing_principal(document: Document, parse: Parse) -> str | None:
    """Return IAM's error message for the first role or user that does not exist, or None.

    IAM stores a principal's unique id, so the principal must exist; an account as principal is not checked.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    text = document if isinstance(document, str) else json.dumps(document or {})
    for statement in parse(text).statements:
        for name in (statement.principals or {}).get("AWS", ()):
            found = _ENTITY.fullmatch(name)
            if found and (stored.role if found[2] == "role" else stored.user)(found[1], found[3]) is None:
                return f'Invalid principal in policy: "AWS":"{name}"'
    return None
