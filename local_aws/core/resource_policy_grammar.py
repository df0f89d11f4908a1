"""What is wrong with a policy of a resource. Each service has its own words for it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from local_aws.core.policy_grammar import VERSIONS, is_condition

FIELDS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
        "Condition",
    }
)
PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class Fault(Enum):
    """The kinds of faults that services tell apart."""

    JSON = "no JSON object"
    SYNTAX = "a field or a value that no policy has"
    MISSING = "a field that is missing"
    PRINCIPAL = "a principal that does not exist"
    ACTION = "an action of another service"
    RESOURCE = "a resource that the policy does not belong to"


@dataclass(frozen=True)
class Rules:
    """What a service's policy may say: the prefix of its actions, the fields that it requires, and its names.

    `is_principal` takes the type of a principal (`AWS`, `Service`) and its value, `is_resource` a resource.
    """

    service: str
    required: tuple[str, ...]
    is_principal: Callable[[str, str], bool]
    is_resource: Callable[[str], bool] = lambda _: True


def fault_of(document: str | Mapping[str, Any], rules: Rules) -> tuple[Fault, str] | None:
    """Return the first fault of a policy, with the field that it is about, or None."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return Fault.JSON, ""
    if not isinstance(policy, Mapping):
        return Fault.JSON, ""
    return next(_faults(policy, rules), None)


def _faults(policy: Mapping[str, Any], rules: Rules) -> Iterator[tuple[Fault, str]]:
    if (
        not policy.keys() <= {"Version", "Id", "Statement"}
        or policy.get("Version", VERSIONS[0]) not in VERSIONS
    ):
        yield Fault.SYNTAX, ""
    given = policy.get("Statement")
    items = given if isinstance(given, list) else [given]
    statements = [each for each in items if isinstance(each, Mapping)]
    if not items or len(statements) < len(items):
        yield Fault.MISSING, "Statement"
        return
    for statement in statements:
        yield from _of_statement(statement, rules)


def _of_statement(statement: Mapping[str, Any], rules: Rules) -> Iterator[tuple[Fault, str]]:
    for name in rules.required:
        if name not in statement and f"Not{name}" not in statement:
            yield Fault.MISSING, name
    if not _has_syntax(statement):
        yield Fault.SYNTAX, ""
        return
    yield from _of_values(statement, rules)


def _of_values(statement: Mapping[str, Any], rules: Rules) -> Iterator[tuple[Fault, str]]:
    if not all(rules.is_principal(kind, value) for kind, value in _principals(statement)):
        yield Fault.PRINCIPAL, "Principal"
    if not all(_is_action(action, rules.service) for action in _texts(statement, "Action")):
        yield Fault.ACTION, "Action"
    if not all(map(rules.is_resource, _texts(statement, "Resource"))):
        yield Fault.RESOURCE, "Resource"


def _has_syntax(statement: Mapping[str, Any]) -> bool:
    names = ("Action", "NotAction", "Resource", "NotResource")
    return (
        statement.keys() <= FIELDS
        and statement.get("Effect", "Allow") in ("Allow", "Deny")
        and all(isinstance(text, str) for name in names for text in listed(statement.get(name, [])))
        and is_condition(statement.get("Condition", {}))
        and _has_principals(statement)
    )


def _has_principals(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", statement.get("NotPrincipal", "*"))
    return principal == "*" or (
        isinstance(principal, Mapping)
        and bool(principal)
        and principal.keys() <= PRINCIPALS
        and all(isinstance(text, str) for value in principal.values() for text in listed(value))
    )


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    principal = statement.get("Principal", statement.get("NotPrincipal", "*"))
    if isinstance(principal, Mapping):
        for kind, value in principal.items():
            for text in listed(value):
                yield kind, text


def _is_action(action: str, service: str) -> bool:
    return action == "*" or action.lower().startswith(f"{service}:")


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    return listed(statement.get(name, statement.get(f"Not{name}", [])))


def listed(value: Any) -> list[Any]:
    """Return a value of a policy as the list that it stands for."""
    return value if isinstance(value, list) else [value]
