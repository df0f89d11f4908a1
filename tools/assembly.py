"""Read a synthesized environment: its root template and its nested ones. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infrastructure.errors import AppError

ROOT = "Stack"
NESTED_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Resource:
    """One resource of one template; `stack` is the construct path of its stack, as `Stack/Network`."""

    stack: str
    id: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("Properties", {})
        return properties

    @property
    def construct_path(self) -> str:
        return str(self.body["Metadata"]["aws:cdk:path"])

    @property
    def path(self) -> str:
        """The construct path without the root stack, and without the CDK's `Resource` at its end."""
        _, _, path = self.construct_path.partition("/")
        return path.removesuffix("/Resource")

    @property
    def depends_on(self) -> set[str]:
        """The logical ids that CloudFormation creates before this one."""
        declared = self.body.get("DependsOn", [])
        listed = [declared] if isinstance(declared, str) else declared
        return set(listed) | references(self.properties)


@dataclass(frozen=True)
class Template:
    """One template; `stack` is the construct path of its stack, and `size` its bytes."""

    stack: str
    body: dict[str, Any]
    size: int

    @property
    def resources(self) -> Iterator[Resource]:
        for id_, body in self.body["Resources"].items():
            yield Resource(self.stack, id_, body)

    def section(self, name: str) -> dict[str, Any]:
        """Return a section such as `Parameters`; an absent one is empty."""
        section: dict[str, Any] = self.body.get(name, {})
        return section


@dataclass(frozen=True)
class Assembly:
    """The templates of one environment by their stacks, the root first."""

    templates: Mapping[str, Template]

    @classmethod
    def read(cls, folder: Path) -> Assembly:
        """Read what `cdk synth` wrote. Raises AppError when a template is missing."""
        return cls({each.stack: each for each in _read(folder, ROOT, f"{ROOT}.template.json")})

    @property
    def size(self) -> int:
        """The bytes of all templates."""
        return sum(template.size for template in self.templates.values())

    def resources(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of all templates, or only those of some types."""
        for resource in self._resources:
            if not types or resource.type in types:
                yield resource

    def nested(self, stack: Resource) -> Template:
        """Return the template of a nested stack."""
        return self.templates[_nested_path(stack)]

    @cached_property
    def _resources(self) -> list[Resource]:
        return [resource for template in self.templates.values() for resource in template.resources]


def references(value: object) -> set[str]:
    """Return the logical ids that a value refers to, without pseudo parameters."""
    return {id_ for id_ in _references(value) if not id_.startswith("AWS::")}


def _references(value: object) -> Iterator[str]:
    match value:
        case list():
            for item in value:
                yield from _references(item)
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case dict():
            yield from _references(list(value.values()))


def _read(folder: Path, stack: str, file: str) -> Iterator[Template]:
    try:
        text = (folder / file).read_bytes()
    except FileNotFoundError:
        raise AppError(f"{folder / file} does not exist: run `make synth`, which synthesizes it") from None
    template = Template(stack, json.loads(text), len(text))
    yield template
    for resource in template.resources:
        if resource.type == NESTED_STACK:
            file = str(resource.body["Metadata"]["aws:asset:path"])
            yield from _read(folder, _nested_path(resource), file)


def _nested_path(stack: Resource) -> str:
    path, _, _ = stack.construct_path.rpartition(".NestedStack/")
    return path
