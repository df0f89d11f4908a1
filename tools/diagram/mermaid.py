"""The drawings as Mermaid text.

Resources that only carry out what others say (policies, aliases) are left out. A path of references through
resources that are left out is one arrow, labelled by the property where it begins.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.assembly import ROOT, Assembly
from tools.diagram.edges import Edge, edges
from tools.diagram.graph import Graph

STACKS = ("Network", "Compute", "Pipeline")


def drawings(assembly: Assembly) -> str:
    """Return a drawing for each nested stack."""
    graph = Graph(assembly)
    found = edges(graph)
    return "\n".join(_drawing(stack, _labels(graph, stack), found) for stack in STACKS)


def _labels(graph: Graph, stack: str) -> set[str]:
    nodes = (node for node in graph.nodes.values() if node.resource.stack == f"{ROOT}/{stack}")
    return {node.label for node in nodes if node.is_drawn}


def _drawing(stack: str, own: set[str], found: Iterable[Edge]) -> str:
    shown = [edge for edge in found if edge.start in own]
    labels = sorted(own | {edge.end for edge in shown})
    ids = {label: f"n{number}" for number, label in enumerate(labels)}
    lines = [f"  {ids[label]}{_shape(label, is_own=label in own)}" for label in labels]
    lines += [f"  {ids[edge.start]} -->{_text(edge.label)} {ids[edge.end]}" for edge in shown]
    return "\n".join([f"### {stack}\n", "```mermaid", "flowchart LR", *lines, "```", ""])


def _shape(label: str, *, is_own: bool) -> str:
    """A resource of another stack has round corners."""
    return f'["{label}"]' if is_own else f'(["{label}"])'


def _text(label: str) -> str:
    return f"|{label}|" if label else ""
