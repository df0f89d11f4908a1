"""The environment that a resource belongs to, by its tags and its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# CloudFormation's own tag on a resource of a stack, and the tag with an EC2 resource's name.
STACK_TAG = "aws:cloudformation:stack-name"
NAME_TAG = "Name"
# The tags of the app, on every resource of every stack.
ENVIRONMENT_TAG = "environment"
PROJECT_TAG = "project"
PROJECT = "python-service-pipeline"


@dataclass(frozen=True)
class Resource:
    """One resource. `remains` is False for what AWS deletes later by itself; `note` says more about it."""

    kind: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    # Names of resources that it belongs to: the VPC of an interface, the load balancer of a listener.
    parents: tuple[str, ...] = ()
    note: str = ""
    remains: bool = True


class Ownership:
    """Decides whether a resource is one of `suffix`, not of `others` that contain it (`dev`, `dev-2`)."""

    def __init__(self, suffix: str, others: Iterable[str] = ()) -> None:
        self.suffix = suffix
        self.others = [other for other in others if other != suffix]

    def owns(self, resource: Resource) -> bool:
        """Return whether a resource belongs to this environment.

        The tags of the app decide. Without them, the name of the resource or of its stack does:
        `{type}-{suffix}`, alone or continued (`artifacts-dev-123456789012-us-east-1`, `/ecs/task-dev/app`,
        `stack-dev-Network...`).
        """
        if resource.tags.get(PROJECT_TAG) == PROJECT and ENVIRONMENT_TAG in resource.tags:
            return resource.tags[ENVIRONMENT_TAG] == self.suffix
        tagged = [resource.tags[tag] for tag in (STACK_TAG, NAME_TAG) if tag in resource.tags]
        return any(self._names(name) for name in (resource.name, *resource.parents, *tagged))

    def _names(self, name: str) -> bool:
        if not has_suffix(name, self.suffix):
            return False
        longer = (other for other in self.others if len(other) > len(self.suffix))
        return not any(has_suffix(name, other) for other in longer)


def has_suffix(name: str, suffix: str) -> bool:
    """Return whether `name` contains `-{suffix}` as whole words."""
    return re.search(rf"-{re.escape(suffix)}(?![a-zA-Z0-9])", name) is not None


def suffixes(stacks: Iterable[str]) -> list[str]:
    """Return the suffixes of the root stacks in `stacks` (nested stacks have capitals in their names)."""
    found = (re.fullmatch(r"stack-([a-z0-9-]+)", name) for name in stacks)
    return [match[1] for match in found if match]


def normalize_tags(tags: Iterable[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Return tags as a mapping, from the form of any service (`Key`, `key`, `TagKey`, or a mapping)."""
    if tags is None:
        return {}
    if isinstance(tags, Mapping):
        return dict(tags)
    normalized = {}
    for tag in tags:
        lower = {name.lower().removeprefix("tag"): value for name, value in tag.items()}
        normalized[lower["key"]] = lower.get("value", "")
    return normalized
