"""What an environment's policies grant, what the scenarios used of it, and what nobody would miss."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from rich.table import Table

from harness.unused_permission_allowlist import UNUSED_PERMISSION_ALLOWLIST

Report = Mapping[str, Any]


@dataclass
class StatementUse:
    """One statement of one policy, over all environments: `policy` and `sid` name it without their suffix."""

    policy: str
    sid: str
    allows: bool
    granted: list[str]
    used: dict[str, int] = field(default_factory=dict)
    # Whether some request would be refused without it.
    needed: bool = False

    @property
    def unused(self) -> list[str]:
        """Return the actions that were granted and never asked for; a wildcard is not taken apart."""
        asked = {action.lower() for action in self.used}
        return [each for each in self.granted if "*" not in each and each.lower() not in asked]

    def explanation(self, action: str = "") -> str:
        """Return why an action, or the whole statement, is there though nothing here shows it; or nothing."""
        for pattern in ((self.policy, self.sid, action), ("", self.sid, action)):
            if pattern in UNUSED_PERMISSION_ALLOWLIST:
                return UNUSED_PERMISSION_ALLOWLIST[pattern]
        return ""


def statements(report: Report, suffixes: Iterable[str]) -> list[StatementUse]:
    """Return the statements of the environments called `suffixes`, each once; the CDK's own are left out."""
    found: dict[tuple[str, str], StatementUse] = {}
    # `it1-2` is no policy of the environment `it1`.
    longest_first = sorted(suffixes, key=len, reverse=True)
    for one in report["statements"]:
        policy = next((name for suffix in longest_first if (name := _named(one["policy"], suffix))), "")
        if not policy:
            continue
        key = (policy, one["sid"])
        allows = one["effect"] == "Allow"
        kept = found.setdefault(key, StatementUse(policy, one["sid"], allows, list(one["granted"])))
        kept.needed = kept.needed or one["needed"]
        for action, count in one["used"].items():
            kept.used[action] = kept.used.get(action, 0) + count
    return sorted(found.values(), key=lambda one: (one.policy, one.sid))


def _named(policy: str, suffix: str) -> str:
    """Return a policy's name without its environment, nothing if it is another's."""
    if f"-{suffix}" not in policy:
        return ""
    resource = policy.rpartition(":")[2] if policy.startswith("arn:") else policy
    return resource.replace(f"-{suffix}", "").removesuffix(": policy").removeprefix("role ")


def unexplained(found: Iterable[StatementUse]) -> Iterator[str]:
    """Yield what was granted and neither used nor explained, and what nobody would miss, one line each."""
    for one in found:
        if not one.allows or one.explanation():
            continue
        if not one.needed:
            yield f"{one.policy}: nothing fails without the statement {one.sid}"
        for action in one.unused:
            if not one.explanation(action):
                yield f"{one.policy}: {one.sid} grants {action}, which nobody used"


def count_needed(found: Iterable[StatementUse]) -> tuple[int, int]:
    """Return how many statements that allow are missed when each is taken away, and how many there are."""
    allowing = [one for one in found if one.allows]
    return sum(one.needed for one in allowing), len(allowing)


def table(found: Iterable[StatementUse]) -> Table:
    """Return granted, used and unused of every role, to be printed."""
    made = Table("role or policy", "statement", "action", "used", "without the statement", box=None)
    for one in found:
        verdict = "a call is refused" if one.needed else one.explanation() or "NOTHING FAILS"
        if not one.allows:
            verdict = "(denies)"
        for number, action in enumerate(one.granted):
            pattern = action.lower()
            count = sum(times for name, times in one.used.items() if fnmatchcase(name.lower(), pattern))
            said = (
                str(count) if count or "*" in action else one.explanation(action) or one.explanation() or "NO"
            )
            head, tail = ((one.policy, one.sid), verdict) if number == 0 else (("", ""), "")
            made.add_row(*head, action, said, tail)
    return made
