"""The edges of the drawings: references, routes and permissions between resources that are drawn."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from tools.assembly import Resource
from tools.diagram.graph import Graph, Node
from tools.diagram.labels import EDGE_LABELS, GRANT_LABELS, TARGET_LABELS

ROLE = "AWS::IAM::Role"


@dataclass(frozen=True, order=True)
class Edge:
    """One arrow, between the labels of two nodes."""

    start: str
    end: str
    label: str


def edges(graph: Graph) -> list[Edge]:
    """Return the edges, sorted: one for each two nodes, with every label that it has."""
    labels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in [*_references(graph), *_routes(graph)]:
        labels[edge.start, edge.end].add(edge.label)
    # The first permission of GRANT_LABELS counts.
    for edge in reversed([*_grants(graph)]):
        labels[edge.start, edge.end] = {edge.label}
    return sorted(Edge(*ends, " and ".join(sorted(found - {""}))) for ends, found in labels.items())


def _references(graph: Graph) -> Iterator[Edge]:
    """Yield what refers to what, labelled by the property."""
    direct = {id_: set(graph.referred(node.resource.properties)) for id_, node in graph.nodes.items()}
    for id_, node in graph.nodes.items():
        if node.is_drawn:
            for key, value in _properties(node.resource):
                label = EDGE_LABELS.get(node.resource.type, {}).get(key, "")
                reached = _reach({**direct, id_: set(graph.referred(value))}, graph, id_)
                yield from _edges_from(node, reached, label)


def _edges_from(node: Node, reached: Iterator[Node], label: str) -> Iterator[Edge]:
    for other in reached:
        if other.label != node.label:
            yield Edge(node.label, other.label, TARGET_LABELS.get((other.resource.type, label), label))


def _properties(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield the properties; of a pipeline's stages each action, by AWS's category of the action."""
    for key, value in resource.properties.items():
        if resource.type == "AWS::CodePipeline::Pipeline" and key == "Stages":
            for action in (action for stage in value for action in stage["Actions"]):
                yield action["ActionTypeId"]["Category"], action
        else:
            yield key, value


def _reach(direct: Mapping[str, set[str]], graph: Graph, start: str) -> Iterator[Node]:
    """Yield the nodes that are drawn and that a resource refers to, directly or through others.

    A role is not followed: its policy refers to too much.
    """
    seen, pending = {start}, [start]
    while pending:
        for id_ in direct[pending.pop()] - seen:
            seen.add(id_)
            node = graph.nodes[id_]
            if node.is_drawn:
                yield node
            elif node.resource.type != ROLE and not node.is_left_out:
                pending.append(id_)


def _routes(graph: Graph) -> Iterator[Edge]:
    """Yield the gateway of each subnet's default route."""
    subnets: dict[str, list[str]] = defaultdict(list)
    for node in graph.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        association = node.resource.properties
        subnets[json.dumps(association["RouteTableId"])] += graph.referred(association["SubnetId"])
    for node in graph.of_type("AWS::EC2::Route"):
        route = node.resource.properties
        gateways = graph.referred([route.get("GatewayId"), route.get("NatGatewayId")])
        for subnet, gateway in product(subnets[json.dumps(route["RouteTableId"])], gateways):
            yield Edge(graph.nodes[subnet].label, graph.nodes[gateway].label, "routes to")


def _grants(graph: Graph) -> Iterator[Edge]:
    """Yield what the roles of a resource may do with an image repository."""
    for node, (action, label) in product(list(graph.nodes.values()), GRANT_LABELS.items()):
        if node.is_drawn:
            for id_ in _granted(graph, node, action):
                yield Edge(node.label, graph.nodes[id_].label, label)


def _granted(graph: Graph, node: Node, action: str) -> Iterator[str]:
    roles = (graph.nodes[id_] for id_ in graph.referred(node.resource.properties))
    for role in (role for role in roles if role.resource.type == ROLE):
        for policy in role.resource.properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if action in statement["Action"]:
                    yield from graph.referred(statement["Resource"])
