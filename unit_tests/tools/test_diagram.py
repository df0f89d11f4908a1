"""The drawings of docs/architecture.md."""

from __future__ import annotations

import re

import pytest

from tools.assembly import Assembly
from tools.diagram.mermaid import STACKS, drawings
from tools.synthesis import defaults
from unit_tests.assembly_cache import cached_assembly


@pytest.fixture(scope="module")
def drawn() -> str:
    return drawings(Assembly.read(cached_assembly(defaults())))


@pytest.mark.parametrize(
    ("stack", "start", "label", "end"),
    [
        ("Network", "Listener Production", "forwards to", "Target group Blue"),
        ("Network", "Subnets Private", "routes to", "NAT gateway"),
        ("Network", "Subnets Public", "routes to", "Internet gateway"),
        ("Compute", "Service", "first registers with", "Target group Blue"),
        ("Compute", "First task definition", "pulls from", "Image repository"),
        ("Pipeline", "Pipeline", "reads from", "CodeCommit repository"),
        ("Pipeline", "Pipeline", "starts", "Deployment group"),
        ("Pipeline", "Build project", "pushes to", "Image repository"),
        ("Pipeline", "Deployment group", "replaces tasks of", "Service"),
        ("Pipeline", "Deployment group", "moves", "Listener Production"),
        ("Pipeline", "Deployment group", "chooses", "Target group Green"),
        ("Pipeline", "Rules", "start and watch", "Pipeline"),
        ("Pipeline", "Rules", "notify", "Topic"),
    ],
)
def test_a_reference_is_an_arrow_across_stacks_too(
    drawn: str, stack: str, start: str, label: str, end: str
) -> None:
    part = _drawing(drawn, stack)
    nodes = {label: name for name, label in _nodes(part).items()}
    assert f"  {nodes[start]} -->|{label}| {nodes[end]}\n" in part


@pytest.mark.parametrize("stack", STACKS)
def test_every_arrow_has_a_label_and_every_node_an_arrow(drawn: str, stack: str) -> None:
    """The exceptions are the CDK's functions, and the endpoint, which only route tables refer to."""
    part = _drawing(drawn, stack)
    assert "--> " not in part
    alone = {label for name, label in _nodes(part).items() if len(re.findall(rf"\b{name}\b", part)) == 1}
    assert alone <= {"Function of the CDK", "S3 endpoint"}


def _drawing(drawn: str, stack: str) -> str:
    return drawn.partition(f"### {stack}")[2].partition("###")[0]


def _nodes(part: str) -> dict[str, str]:
    return dict(re.findall(r'^  (\w+)\W+"([^"]+)"', part, re.M))


def test_a_drawing_stays_readable(drawn: str) -> None:
    for part in drawn.split("### ")[1:]:
        assert part.count('"') // 2 <= 24, "nodes"
        assert part.count("-->") <= 44, "arrows"
