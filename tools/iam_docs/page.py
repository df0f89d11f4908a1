"""docs/iam.md: what each role and each resource policy allows, written from the templates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED, WITHOUT_SOURCE
from tools.iam_docs.policies import Policy, Statement

_HEAD = """\
# Who may do what

Written from the synthesized templates of environment `dev`, with every option on, by
`python -m tools.iam_docs --write`; `make check` fails when it is not current. `<Account>` stands
for the account, `<Network/...>` for an id that AWS makes. A step is the statement's Sid: what of the loop
needs it. No role has a managed policy, no action a wildcard, and only the task's two roles are passed on.\
"""
_KINDS = {
    "AWS::ECR::Repository": "Repository",
    "AWS::KMS::Key": "Key",
    "AWS::Lambda::Permission": "Function",
    "AWS::Logs::ResourcePolicy": "Logs",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topic",
    "AWS::SQS::QueuePolicy": "Queue",
}


def page(policies: Collection[Policy], by_default: Collection[Policy]) -> str:
    """Write the page; `by_default` are the policies without any option."""
    roles = [policy for policy in policies if policy.is_role]
    others = [policy for policy in policies if not policy.is_role]
    asked_for = {policy.holder for policy in policies} - {policy.holder for policy in by_default}
    known = {(policy.holder, each) for policy in by_default for each in policy.statements}
    lines = [_HEAD, "", "## Roles", ""]
    lines += _table(
        ("role", "who takes it on", "what for"),
        ((f"[{each.holder}](#{each.holder})", _trust(each), each.description) for each in roles),
    )
    for policy in roles:
        lines += ["", f"### {policy.holder}", ""]
        lines += _only_when_asked(policy, asked_for)
        if policy.statements:
            rows = (_row(each, policy, known, asked_for) for each in policy.statements)
            lines += _table(("step", "actions", "resources", "only if"), rows)
        else:
            lines += ["Nothing."]
    lines += ["", "## What resources allow", ""]
    lines += _table(
        ("resource", "who", "may", "actions", "only if"),
        (
            (f"{_KINDS[policy.type]} `{policy.holder}`", *_grant(each))
            for policy in others
            for each in policy.statements
        ),
    )
    lines += ["", *_citations()]
    return "\n".join(lines) + "\n"


def _only_when_asked(policy: Policy, asked_for: Collection[str]) -> list[str]:
    return ["Only when an option asks for it.", ""] if policy.holder in asked_for else []


def _row(
    statement: Statement,
    policy: Policy,
    known: Collection[tuple[str, Statement]],
    asked_for: Collection[str],
) -> tuple[str, ...]:
    optional = policy.holder not in asked_for and (policy.holder, statement) not in known
    step = f"{statement.step} (with an option)" if optional else statement.step
    return (step, _many(statement.actions), _many(statement.resources), _conditions(statement))


def _grant(statement: Statement) -> tuple[str, ...]:
    who = _many("everybody" if each == "*" else each for each in statement.principals)
    may = "may" if statement.effect == "Allow" else "may **not**"
    return (who, may, _many(statement.actions), _conditions(statement))


def _trust(policy: Policy) -> str:
    return "<br>".join(
        _many(each.principals) + (f" if {_conditions(each)}" if each.conditions else "")
        for each in policy.trust
    )


def _conditions(statement: Statement) -> str:
    return "<br>".join(
        f"`{key}` {_in_words(operator)} `{value}`" for operator, key, value in statement.conditions
    )


def _in_words(operator: str) -> str:
    words = {
        "StringEquals": "is",
        "ArnEquals": "is",
        "Bool": "is",
        "ArnLike": "is like",
        "StringLike": "is like",
    }
    return words.get(operator, operator)


def _many(values: Iterable[str]) -> str:
    return "<br>".join(f"`{value}`" for value in sorted(values))


def _citations() -> Iterator[str]:
    yield "## Why some statements name every resource"
    yield ""
    yield from _table(
        ("action", "why `*`"),
        (
            (f"`{action}`", f"{each.reason} ([AWS]({each.page}))")
            for action, each in sorted(EVERY_RESOURCE.items())
        ),
    )
    yield ""
    yield "## What is limited although the authorization reference gives it no resource"
    yield ""
    yield from _table(
        ("action", "to", "why"),
        (
            (f"`{action}`", f"`{limit}`", f"{each.reason} ([AWS]({each.page}))")
            for action, (limit, each) in sorted(LIMITED.items())
        ),
    )
    yield ""
    yield "## Why some trusts name no source"
    yield ""
    yield from _table(
        ("service", "condition", "why not"),
        (
            (f"`{service}`", f"`{key}`", f"{each.reason} ([AWS]({each.page}))")
            for (service, key), each in sorted(WITHOUT_SOURCE.items())
        ),
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(head)
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row).replace("  ", " ") + " |"
