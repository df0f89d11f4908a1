"""What must hold of every policy, whoever adds it; each rule says what breaks it, in one line a finding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tools.iam_docs.authorization import not_as_aws_knows_it
from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED, PASSED_ROLES, PASSED_TO, WITHOUT_SOURCE
from tools.iam_docs.policies import OUTSIDE, Policy, Statement
from tools.iam_docs.references import Templates

# Two words at least: `WriteTheLog`, not `Statement1`.
_SENTENCE = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z]+")


def complaints(templates: Templates, policies: Iterable[Policy]) -> list[str]:
    """List what breaks a rule in the templates of one environment."""
    found = [
        f"{each.path}: {each.type} stands outside its role, where a first run could race it (pitfall B6)"
        for each in templates.resources(*OUTSIDE)
    ]
    for policy in policies:
        problems = _of_role(policy) if policy.is_role else _of_resource(policy)
        found += [f"{policy.holder}: {problem}" for problem in problems]
    return found


def unused_citations(policies: Iterable[Policy]) -> list[str]:
    """List the citations that no statement needs any more, over all environments."""
    held = [policy for policy in policies if policy.is_role]
    starred = {
        action
        for policy in held
        for statement in policy.statements
        if _allows_everywhere(statement)
        for action in statement.actions
    }
    limited = {action for policy in held for statement in policy.statements for action in statement.actions}
    trusted = {
        (principal, key)
        for policy in held
        for statement in policy.trust
        for principal in statement.principals
        for key in ("aws:SourceAccount", "aws:SourceArn")
        if key not in _keys(statement)
    }
    return [
        *(f"{each}: nothing is allowed it on *" for each in sorted(EVERY_RESOURCE.keys() - starred)),
        *(f"{each}: nobody is allowed it" for each in sorted(LIMITED.keys() - limited)),
        *(f"{who}: no trust lacks {key}" for who, key in sorted(WITHOUT_SOURCE.keys() - trusted)),
    ]


def _of_role(policy: Policy) -> Iterator[str]:
    yield from (
        f"has the managed policy {each}: write its statements out (pitfall D8)" for each in policy.managed
    )
    for sid, times in Counter(statement.sid for statement in policy.statements).items():
        if times > 1:
            yield f"has {times} statements {sid}: a Sid is unique in its policy"
    for statement in policy.statements:
        named = statement.sid or f"a statement with {', '.join(statement.actions)}"
        yield from (f"{named}: {problem}" for problem in _of_statement(statement))
    for statement in policy.trust:
        yield from _of_trust(statement)


def _of_statement(statement: Statement) -> Iterator[str]:
    if not _SENTENCE.fullmatch(statement.sid):
        yield "its Sid must be a sentence in CamelCase that names the step of the loop"
    if any("*" in action or "?" in action for action in statement.actions):
        yield "an action with a wildcard allows what AWS adds tomorrow"
    elif statement.effect == "Allow":
        yield from not_as_aws_knows_it(statement)
    if _allows_everywhere(statement):
        yield from (
            f"{action} is allowed on * without a page of AWS in citations.py"
            for action in statement.actions
            if action not in EVERY_RESOURCE
        )
    if "logs:CreateLogGroup" in statement.actions:
        yield "a late line would bring a deleted log group back (pitfall H2)"
    if "iam:PassRole" in statement.actions:
        yield from _of_passing(statement)


def _of_passing(statement: Statement) -> Iterator[str]:
    if statement.conditions != (("StringEquals", "iam:PassedToService", PASSED_TO),):
        yield f"roles are passed to {PASSED_TO} alone (pitfall D7)"
    passed = [arn.rpartition("/")[2] for arn in statement.resources]
    if sorted(re.sub(r"(?<=-role-).*", "", name) for name in passed) != sorted(PASSED_ROLES):
        yield f"passes {', '.join(passed)}: only the two roles of the task are passed (pitfall D7)"


def _of_trust(statement: Statement) -> Iterator[str]:
    for principal in statement.principals:
        if principal == "*":
            yield "is trusted to everybody"
        if principal.endswith(":root") and "aws:PrincipalArn" not in _keys(statement):
            yield f"trusts all of {principal}: name its roles by aws:PrincipalArn (pitfall M2)"
        if ":oidc-provider/" in principal and {"aud", "sub"} - {
            key.rpartition(":")[2] for key in _keys(statement)
        }:
            yield f"trusts every token of {principal}: ask for aud and sub (pitfall M4)"
        if not principal.endswith(".amazonaws.com"):
            continue
        for key in ("aws:SourceAccount", "aws:SourceArn"):
            if key not in _keys(statement) and (principal, key) not in WITHOUT_SOURCE:
                yield f"trusts {principal} without {key}: it could act for another account"


def _of_resource(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        if statement.effect == "Allow" and "*" in statement.principals:
            yield f"{statement.sid or statement.actions}: is open to everybody"


def _allows_everywhere(statement: Statement) -> bool:
    return statement.effect == "Allow" and "*" in statement.resources


def _keys(statement: Statement) -> set[str]:
    return {key for _, key, _ in statement.conditions}
