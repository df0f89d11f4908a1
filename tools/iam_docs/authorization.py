"""Compare statements with AWS's service authorization reference, as policy_sentry ships it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from policy_sentry.querying.actions import get_action_data
from policy_sentry.util.arns import does_arn_match

from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED
from tools.iam_docs.policies import Statement


def not_as_aws_knows_it(statement: Statement) -> Iterator[str]:
    """Say which action does not exist, or is allowed on a resource or a condition that it does not know."""
    arns = set(statement.resources) - {"*"}
    useful: set[str] = set()
    for action in statement.actions:
        service, _, name = action.partition(":")
        rows = get_action_data(service, name).get(service, [])
        if not rows:
            yield f"{action} is no action of AWS"
            continue
        formats = [row["resource_arn_format"] for row in rows if row["resource_arn_format"] != "*"]
        formats += [LIMITED[action][0]] if action in LIMITED else []
        matching = {arn for arn in arns if any(_matches(arn, each) for each in formats)}
        useful |= matching
        if "*" in statement.resources:
            if formats and not (action in EVERY_RESOURCE and EVERY_RESOURCE[action].disputed):
                yield f"{action} is allowed on *, but can be limited to {formats[0]}"
        elif not formats:
            yield f"{action} has no resource: AWS would refuse it unless it is allowed on *"
        elif not matching:
            yield f"{action} is allowed on none of its resources, such as {formats[0]}"
        known = {key for row in rows for key in row["condition_keys"]}
        for _, key, _ in statement.conditions:
            if not key.startswith("aws:") and key not in known:
                yield f"{action} knows no condition {key}"
    for arn in sorted(arns - useful):
        yield f"{arn} is a resource of none of its actions"


def _matches(arn: str, format_: str) -> bool:
    given = arn.replace("<Account>", "123456789012")
    if given.startswith("arn:aws:logs:") and given.endswith(":*"):
        # CloudFormation's ARN of a log group stands for its streams; policy_sentry takes their names apart.
        streams = given.removesuffix("*") + "log-stream:*"
        return fnmatchcase(streams, re.sub(r"\$\{\w+\}", "*", format_))
    return bool(does_arn_match(given, format_))
