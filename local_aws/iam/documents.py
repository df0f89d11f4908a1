"""Policy documents as plain data; each text is parsed once.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# The version that has policy variables; in an earlier one, `${aws:username}` is plain text.
WITH_VARIABLES = "2012-10-17"

Principals = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Condition:
    """One operator on one key; it holds if one of `values` matches."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. A valid one has one element of each pair (`actions`, `not_actions`)."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: Principals | None
    not_principals: Principals | None
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True, eq=False)
class Document:
    """A policy document, compared by identity: `parse` returns the same object for the same text."""

    statements: tuple[Statement, ...]

    def without(self, index: int) -> "Document":
        """Return the document without one of its statements."""
        return Document(self.statements[:index] + self.statements[index + 1 :])


def parse(document: str | Mapping[str, Any]) -> Document:
    """Parse a document, as text or as a mapping. Raises `ValueError` for an invalid one."""
    text = document if isinstance(document, str) else json.dumps(document, sort_keys=True)
    return _parse(text)


@lru_cache(maxsize=1024)
def _parse(text: str) -> Document:
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("a policy document is nested too deeply") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"a policy document is a mapping, not {text[:80]}")
    variables = content.get("Version") == WITH_VARIABLES
    statements = content.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return Document(tuple(_statement(each, variables) for each in listed))


def _statement(content: Any, variables: bool) -> Statement:
    if not isinstance(content, Mapping):
        raise ValueError(f"a statement is a mapping, not {content!r}")
    effect = content.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise ValueError(f"a statement's Effect is Allow or Deny, not {effect!r}")
    return Statement(
        sid=str(content.get("Sid", "")),
        allows=effect == "Allow",
        actions=_texts(content.get("Action")),
        not_actions=_texts(content.get("NotAction")),
        resources=_texts(content.get("Resource")),
        not_resources=_texts(content.get("NotResource")),
        principals=_principals(content.get("Principal")),
        not_principals=_principals(content.get("NotPrincipal")),
        conditions=tuple(
            Condition(operator, key, _texts(values))
            for operator, keys in _mapping(content.get("Condition") or {}).items()
            for key, values in _mapping(keys).items()
        ),
        variables=variables,
    )


def _principals(content: Any) -> Principals | None:
    if content is None:
        return None
    if isinstance(content, str):
        return {"*": (content,)}
    return {kind: _texts(names) for kind, names in _mapping(content).items()}


def _mapping(content: Any) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping, not {content!r}")
    return content


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)
