"""What the policies of environments grant, which of it the scenarios used, and what is not needed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from rich.table import Table

from harness.unused_permission_allowlist import GENERATED, UNUSED_PERMISSION_ALLOWLIST

Report = Mapping[str, Any]


@dataclass
class StatementUse:
    """One statement of a policy in all environments: `policy` and `sid` are without the suffix.

    `needed` is whether a request would be denied without it.
    """

    policy: str
    sid: str
    allows: bool
    granted: list[str]
    used: dict[str, int] = field(default_factory=dict)
    needed: bool = False

    @property
    def unused(self) -> list[str]:
        """Return the granted actions that were never used, except wildcards."""
        used = {action.lower() for action in self.used}
        return [each for each in self.granted if "*" not in each and each.lower() not in used]

    def explanation(self, action: str = "") -> str:
        """Return why an action, or the whole statement, may be unused; "" if it may not."""
        for pattern in ((self.policy, self.sid, action), ("", self.sid, action)):
            if pattern in UNUSED_PERMISSION_ALLOWLIST:
                return UNUSED_PERMISSION_ALLOWLIST[pattern]
        return ""


def statements(report: Report, suffixes: Iterable[str]) -> list[StatementUse]:
    """Return the statements of these environments, each once, without those of the CDK's bootstrap."""
    found: dict[tuple[str, str], StatementUse] = {}
    # A policy of `it1-2` does not belong to `it1`.
    longest_first = sorted(suffixes, key=len, reverse=True)
    for one in report["statements"]:
        policy = next((name for suffix in longest_first if (name := _named(one["policy"], suffix))), "")
        if not policy:
            continue
        # CloudFormation generates the id of a function's permission from the names of the stack and resource.
        sid = GENERATED if any(f"stack-{suffix}-" in one["sid"] for suffix in longest_first) else one["sid"]
        allows = one["effect"] == "Allow"
        kept = found.setdefault((policy, sid), StatementUse(policy, sid, allows, list(one["granted"])))
        kept.needed = kept.needed or one["needed"]
        for action, count in one["used"].items():
            kept.used[action] = kept.used.get(action, 0) + count
    return sorted(found.values(), key=lambda one: (one.policy, one.sid))


def _named(policy: str, suffix: str) -> str:
    """Return a policy's name without the suffix, or "" if it belongs to another environment."""
    if f"-{suffix}" not in policy:
        return ""
    resource = policy.rpartition(":")[2] if policy.startswith("arn:") else policy
    return resource.replace(f"-{suffix}", "").removesuffix(": policy").removeprefix("role ")


def unexplained(found: Iterable[StatementUse]) -> Iterator[str]:
    """Yield a line for each action that is unused, and each statement that is not needed, unexplained."""
    for one in found:
        if not one.allows or one.explanation():
            continue
        if not one.needed:
            yield f"{one.policy}: nothing fails without the statement {one.sid}"
        for action in one.unused:
            if not one.explanation(action):
                yield f"{one.policy}: {one.sid} grants {action}, which was never used"


def count_needed(found: Iterable[StatementUse]) -> tuple[int, int]:
    """Return how many allow statements are needed, and how many there are."""
    allowing = [one for one in found if one.allows]
    return sum(one.needed for one in allowing), len(allowing)


def table(found: Iterable[StatementUse]) -> Table:
    """Return a table of each policy's statements, with the use of each action."""
    rows = Table("role or policy", "statement", "action", "used", "without the statement", box=None)
    for one in found:
        first = True
        for action in one.granted:
            head = (one.policy, one.sid) if first else ("", "")
            rows.add_row(*head, action, _use(one, action), _effect(one) if first else "")
            first = False
    return rows


def _use(one: StatementUse, action: str) -> str:
    """Return how often an action was used, or why it may be unused."""
    pattern = action.lower()
    count = sum(times for name, times in one.used.items() if fnmatchcase(name.lower(), pattern))
    if count or "*" in action:
        return str(count)
    return one.explanation(action) or one.explanation() or "NO"


def _effect(one: StatementUse) -> str:
    """Return what happens without a statement."""
    if not one.allows:
        return "(denies)"
    return "a call is denied" if one.needed else one.explanation() or "NOTHING FAILS"
