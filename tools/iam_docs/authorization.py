"""Compare statements with AWS's service authorization reference, which policy_sentry ships."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from policy_sentry.querying.actions import get_action_data
from policy_sentry.util.arns import does_arn_match

from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED
from tools.iam_docs.policies import Statement


@dataclass(frozen=True)
class Action:
    """An action of the reference: the ARN formats of its resources, and its own condition keys."""

    name: str
    formats: tuple[str, ...]
    condition_keys: frozenset[str]

    def matching(self, arns: Collection[str]) -> set[str]:
        """Return those ARNs that are resources of the action."""
        return {arn for arn in arns if any(_matches(arn, each) for each in self.formats)}


def reference_violations(statement: Statement) -> Iterator[str]:
    """Yield what the reference lacks: actions, and their resources and condition keys."""
    arns = set(statement.resources) - {"*"}
    used: set[str] = set()
    for name in statement.actions:
        action = _action(name)
        if action is None:
            yield f"{name} is no action of AWS"
            continue
        used |= action.matching(arns)
        yield from _resource_violations(action, statement)
        for _, key, _ in statement.conditions:
            if not key.startswith("aws:") and key not in action.condition_keys:
                yield f"{name} does not support the condition key {key}"
    for arn in sorted(arns - used):
        yield f"{arn} is a resource of none of its actions"


def _resource_violations(action: Action, statement: Statement) -> Iterator[str]:
    if "*" in statement.resources:
        if action.formats and not _is_disputed(action.name):
            yield f"{action.name} is allowed on *, but can be limited to {action.formats[0]}"
    elif not action.formats:
        yield f"{action.name} supports no resource: AWS would refuse it unless it is allowed on *"
    elif not action.matching(set(statement.resources)):
        yield f"{action.name} is allowed on none of its resources, such as {action.formats[0]}"


def _is_disputed(name: str) -> bool:
    return name in EVERY_RESOURCE and EVERY_RESOURCE[name].disputed


def _action(name: str) -> Action | None:
    service, _, action = name.partition(":")
    rows = get_action_data(service, action).get(service, [])
    if not rows:
        return None
    formats = [row["resource_arn_format"] for row in rows if row["resource_arn_format"] != "*"]
    formats += [LIMITED[name][0]] if name in LIMITED else []
    return Action(name, tuple(formats), frozenset(key for row in rows for key in row["condition_keys"]))


def _matches(arn: str, format_: str) -> bool:
    given = arn.replace("<Account>", "123456789012")
    if given.startswith("arn:aws:logs:") and given.endswith(":*"):
        # In CloudFormation, the ARN of a log group stands for its streams; policy_sentry expects their names.
        streams = given.removesuffix("*") + "log-stream:*"
        return fnmatchcase(streams, re.sub(r"\$\{\w+\}", "*", format_))
    return bool(does_arn_match(given, format_))
