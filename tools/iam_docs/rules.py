"""The rules for every policy; a violation is one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from itertools import chain

from tools.assembly import Assembly
from tools.iam_docs.authorization import reference_violations
from tools.iam_docs.justifications import (
    EVERY_RESOURCE,
    LIMITED,
    PASSED_ROLES,
    PASSED_TO,
    UNCONFIRMED,
    WITHOUT_SOURCE,
)
from tools.iam_docs.policies import OUTSIDE, Policy, Statement

# Two words at least: `WriteTheLog`, not `Statement1`.
_SENTENCE = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z]+")
_SOURCE_KEYS = ("aws:SourceAccount", "aws:SourceArn")


def policy_violations(assembly: Assembly, policies: Iterable[Policy]) -> list[str]:
    """Return the violations in the templates of one environment."""
    found = [
        f"{each.path}: {each.type} is outside its role, so a first execution can precede it (pitfall B6)"
        for each in assembly.resources(*OUTSIDE)
    ]
    for policy in policies:
        violations = _of_role(policy) if policy.is_role else _of_resource(policy)
        found += [f"{policy.holder}: {violation}" for violation in violations]
    return found


def unused_justifications(policies: Iterable[Policy]) -> list[str]:
    """Return the justifications that no statement of any environment needs."""
    roles = [policy for policy in policies if policy.is_role]
    statements = list(chain.from_iterable(role.statements for role in roles))
    trusts = chain.from_iterable(role.trust for role in roles)
    starred = _actions(filter(_allows_every_resource, statements))
    without_source = set(chain.from_iterable(map(_missing_sources, trusts)))
    return [
        *(f"{each}: no statement allows it on *" for each in sorted(EVERY_RESOURCE.keys() - starred)),
        *(
            f"{each}: no statement allows it"
            for each in sorted((LIMITED.keys() | UNCONFIRMED.keys()) - _actions(statements))
        ),
        *(f"{who}: no trust lacks {key}" for who, key in sorted(WITHOUT_SOURCE.keys() - without_source)),
    ]


def _actions(statements: Iterable[Statement]) -> set[str]:
    return {action for statement in statements for action in statement.actions}


def _missing_sources(trust: Statement) -> Iterator[tuple[str, str]]:
    """Yield each principal with each source condition that the trust lacks."""
    missing = [key for key in _SOURCE_KEYS if key not in _keys(trust)]
    yield from ((principal, key) for principal in trust.principals for key in missing)


def _of_role(policy: Policy) -> Iterator[str]:
    for managed in policy.managed:
        yield f"has the managed policy {managed}: write its statements out (pitfall D8)"
    for sid, times in Counter(statement.sid for statement in policy.statements).items():
        if times > 1:
            yield f"has {times} statements {sid}: a Sid is unique in its policy"
    for statement in policy.statements:
        named = statement.sid or f"a statement with {', '.join(statement.actions)}"
        yield from (f"{named}: {violation}" for violation in _of_statement(statement))
    for trust in policy.trust:
        yield from _of_trust(trust)


def _of_statement(statement: Statement) -> Iterator[str]:
    if not _SENTENCE.fullmatch(statement.sid):
        yield "its Sid must be a sentence in CamelCase that names the step that needs it"
    yield from _of_actions(statement)
    if "logs:CreateLogGroup" in statement.actions:
        yield "a late write would recreate a deleted log group (pitfall H2)"
    if "iam:PassRole" in statement.actions:
        yield from _of_passing(statement)


def _of_actions(statement: Statement) -> Iterator[str]:
    if any("*" in action or "?" in action for action in statement.actions):
        yield "an action with a wildcard allows what AWS adds in the future"
    elif statement.effect == "Allow":
        yield from reference_violations(statement)
    if _allows_every_resource(statement):
        for action in statement.actions:
            if action not in EVERY_RESOURCE:
                yield f"{action} is allowed on * without a page of AWS in justifications.py"


def _of_passing(statement: Statement) -> Iterator[str]:
    if statement.conditions != (("StringEquals", "iam:PassedToService", PASSED_TO),):
        yield f"roles are passed to {PASSED_TO} alone (pitfall D7)"
    passed = [arn.rpartition("/")[2] for arn in statement.resources]
    if sorted(re.sub(r"(?<=-role-).*", "", name) for name in passed) != sorted(PASSED_ROLES):
        yield f"passes {', '.join(passed)}: only the two roles of the task are passed (pitfall D7)"


def _of_trust(trust: Statement) -> Iterator[str]:
    for principal in trust.principals:
        yield from _of_principal(principal, _keys(trust))
    for principal, key in _missing_sources(trust):
        if principal.endswith(".amazonaws.com") and (principal, key) not in WITHOUT_SOURCE:
            yield f"trusts {principal} without {key}: it could act for another account"


def _of_principal(principal: str, condition_keys: Set[str]) -> Iterator[str]:
    if principal == "*":
        yield "trusts everyone"
    if principal.endswith(":root") and "aws:PrincipalArn" not in condition_keys:
        yield f"trusts all of {principal}: name its roles with aws:PrincipalArn (pitfall M2)"
    claims = {key.rpartition(":")[2] for key in condition_keys}
    if ":oidc-provider/" in principal and not {"aud", "sub"} <= claims:
        yield f"trusts every token of {principal}: add conditions on aud and sub (pitfall M4)"


def _of_resource(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        if statement.effect == "Allow" and "*" in statement.principals:
            yield f"{statement.sid or statement.actions}: is open to everyone"


def _allows_every_resource(statement: Statement) -> bool:
    return statement.effect == "Allow" and "*" in statement.resources


def _keys(statement: Statement) -> set[str]:
    return {key for _, key, _ in statement.conditions}
