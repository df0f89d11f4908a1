"""Whose is it: which environment a thing belongs to, told by its name and its tags."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# CloudFormation puts the first on whatever it makes, the CDK the second on the parts of a network.
STACK_TAG = "aws:cloudformation:stack-name"
NAME_TAG = "Name"
# Ours, on every resource of every stack.
ENVIRONMENT_TAG = "environment"
PROJECT_TAG = "project"
PROJECT = "python-service-road"


@dataclass(frozen=True)
class Thing:
    """One resource. `remains` is False for what AWS keeps for a while by design, and `note` says what."""

    kind: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    # Names of things that it hangs on: an interface's VPC, a listener's load balancer.
    parents: tuple[str, ...] = ()
    note: str = ""
    remains: bool = True


class Ownership:
    """Things of `suffix`, told from those of the `others`, whose suffix may contain it (`dev`, `dev-2`)."""

    def __init__(self, suffix: str, others: Iterable[str] = ()) -> None:
        self.suffix = suffix
        self.others = [other for other in others if other != suffix]

    def owns(self, thing: Thing) -> bool:
        """Say whether `thing` belongs to this environment.

        Our own tags decide. Else a name does, of the thing or of its stack: `{type}-{suffix}`, alone or
        continued (`artifacts-dev-123456789012-us-east-1`, `/ecs/task-dev/app`, `stack-dev-Network...`).
        """
        if thing.tags.get(PROJECT_TAG) == PROJECT and ENVIRONMENT_TAG in thing.tags:
            return thing.tags[ENVIRONMENT_TAG] == self.suffix
        told = [thing.tags[tag] for tag in (STACK_TAG, NAME_TAG) if tag in thing.tags]
        return any(self._names(name) for name in (thing.name, *thing.parents, *told))

    def _names(self, name: str) -> bool:
        if not has_suffix(name, self.suffix):
            return False
        longer = (other for other in self.others if len(other) > len(self.suffix))
        return not any(has_suffix(name, other) for other in longer)


def has_suffix(name: str, suffix: str) -> bool:
    """Say whether `name` holds `-{suffix}` as whole words."""
    return re.search(rf"-{re.escape(suffix)}(?![a-zA-Z0-9])", name) is not None


def suffixes(stacks: Iterable[str]) -> list[str]:
    """Return the suffixes of the root stacks among `stacks` (`stack-{suffix}`; nested ones have capitals)."""
    found = (re.fullmatch(r"stack-([a-z0-9-]+)", name) for name in stacks)
    return [match[1] for match in found if match]


def flat(tags: Iterable[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Return tags as one mapping, however the service writes them (`Key`, `key`, `TagKey`, or a mapping)."""
    if tags is None:
        return {}
    if isinstance(tags, Mapping):
        return dict(tags)
    flattened = {}
    for tag in tags:
        lower = {name.lower().removeprefix("tag"): value for name, value in tag.items()}
        flattened[lower["key"]] = lower.get("value", "")
    return flattened
