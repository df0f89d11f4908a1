"""A role that trusts somebody who does not exist is refused, as IAM refuses it (pitfall M2)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local_aws.iam.documents import parse
from local_aws.ministack import iam as stored

_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)")


def install() -> None:
    """Let every trust policy be looked at, whether IAM's API or CloudFormation brings it."""
    original = stored.iam._trust_policy_not_principal_error

    def refusal(document: str | Mapping[str, Any] | None) -> str | None:
        return original(document) or unknown(document)

    stored.iam._trust_policy_not_principal_error = refusal


def unknown(document: str | Mapping[str, Any] | None) -> str | None:
    """Return IAM's words about the first role or user that a trust policy names and no account has.

    IAM stores a principal's unique id, so it has to be there already; an account alone is not looked for.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    text = document if isinstance(document, str) else json.dumps(document or {})
    for statement in parse(text).statements:
        for name in (statement.principals or {}).get("AWS", ()):
            found = _ENTITY.fullmatch(name)
            if found and (stored.role if found[2] == "role" else stored.user)(found[1], found[3]) is None:
                return f'Invalid principal in policy: "AWS":"{name}"'
    return None
