"""The environment that a resource belongs to, by its tags and its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from operations.name_types import TYPES

# CloudFormation's own tag on a resource of a stack, and the tag with an EC2 resource's name.
STACK_TAG = "aws:cloudformation:stack-name"
NAME_TAG = "Name"
# The tags of the app, on every resource of every stack.
ENVIRONMENT_TAG = "environment"
PROJECT_TAG = "project"
PROJECT = "python-service-pipeline"
# What stands before and after a name of ours: `/ecs/task-dev`, `build-dev:7a1b`, `stack-dev-Network-1ABC`,
# report groups that CodeBuild names after a project, queues of scenarios.
BEFORE = r"(?:^|[/: ]|-of-)"
AFTER = r"(?=$|[/:]|-[0-9]{12}(?:-|$)|-[A-Z]|-unit-tests$)"


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
    """Decides whether a resource is one of the environment `suffix`."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        types = "|".join(sorted(TYPES, key=len, reverse=True))
        # A resource of several has a number.
        self._name = re.compile(rf"{BEFORE}(?:{types})(?:-[0-9])?-{re.escape(suffix)}{AFTER}")

    def owns(self, resource: Resource) -> bool:
        """Return whether a resource belongs to this environment.

        The tags of the app decide. Without them, the name of the resource or of its stack does:
        `{type}-{suffix}` with a type of this app, alone or continued (`artifacts-dev-123456789012-us-east-1`,
        `/ecs/task-dev/app`, `stack-dev-Network...`). So `dev` owns neither `repository-dev-2` nor `foo-dev`.
        """
        if resource.tags.get(PROJECT_TAG) == PROJECT and ENVIRONMENT_TAG in resource.tags:
            return resource.tags[ENVIRONMENT_TAG] == self.suffix
        tagged = [resource.tags[tag] for tag in (STACK_TAG, NAME_TAG) if tag in resource.tags]
        return any(self._name.search(name) for name in (resource.name, *resource.parents, *tagged))


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
