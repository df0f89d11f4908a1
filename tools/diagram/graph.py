"""The resources of the nested stacks, and which of them a value of a template refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.assembly import ROOT, Assembly, Resource, references
from tools.diagram.labels import NODE_LABELS, NOT_DRAWN, SEPARATE

# What the CDK appends to the construct path of a resource.
_CDK_IDS = ("Resource", "Subnet", "Function", "Handler")


@dataclass(frozen=True)
class Node:
    """One resource, its physical names, and the outputs by which other stacks refer to it."""

    resource: Resource
    names: frozenset[str]
    outputs: frozenset[str]

    @property
    def is_drawn(self) -> bool:
        return self.resource.type in NODE_LABELS and not self.is_left_out

    @property
    def is_left_out(self) -> bool:
        """Whether it is part of a construct that is not drawn, and that no arrow leads through."""
        return not set(NOT_DRAWN).isdisjoint(self.resource.construct_path.split("/"))

    @property
    def label(self) -> str:
        """The label in the drawings, of a resource that is drawn."""
        label = NODE_LABELS[self.resource.type]
        if self.resource.type not in SEPARATE:
            return label
        parts = [part for part in self.resource.construct_path.split("/") if part not in _CDK_IDS]
        if "::" in parts[-1]:
            return f"{label} of the CDK"
        return f"{label} {re.sub('Subnet[0-9]+', '', parts[-1])}"


class Graph:
    """The resources of the nested stacks by their logical ids."""

    def __init__(self, assembly: Assembly) -> None:
        templates = [each for each in assembly.templates.values() if each.stack != ROOT]
        self.nodes = {
            resource.id: Node(resource, _names(resource), _outputs(resource, template.section("Outputs")))
            for template in templates
            for resource in template.resources
        }

    def of_type(self, type_: str) -> Iterator[Node]:
        """Yield the resources of a type."""
        return (node for node in self.nodes.values() if node.resource.type == type_)

    def referred(self, value: Any) -> list[str]:
        """Return the ids that a value refers to, also by another stack's output or by a physical name."""
        ids, texts = references(value), set(_texts(value))
        return [id_ for id_, node in self.nodes.items() if id_ in ids or _is_named(node, ids, texts)]


def _is_named(node: Node, ids: set[str], texts: set[str]) -> bool:
    if node.is_drawn and node.names & texts:
        return True
    return any(id_.endswith(f"Outputs{output}") for output in node.outputs for id_ in ids)


def _names(resource: Resource) -> frozenset[str]:
    named = (key for key in resource.properties if key.endswith("Name") or key == "Family")
    return frozenset(str(resource.properties[key]) for key in named)


def _outputs(resource: Resource, outputs: dict[str, Any]) -> frozenset[str]:
    return frozenset(key for key, value in outputs.items() if resource.id in references(value["Value"]))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from _texts(list(value.values()))
