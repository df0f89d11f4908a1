"""Draws what the synthesized templates make, as Mermaid text in docs/architecture.md.

`python -m tools.diagram --write | --check`: exit code 1 when the drawings are not current. What only
carries out what another resource says (policies, aliases) is left out; what leads through is one arrow, whose
word is the property that the reference stands in.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from tools.assembly import PROJECT, defaults, synthesize

PAGE = PROJECT / "docs" / "architecture.md"
BEGIN = "<!-- diagrams: written by python -m tools.diagram -->\n"
END = "<!-- diagrams: end -->\n"
# What is drawn, and how it is called; resources of one label are one box.
DRAWN = {
    "AWS::EC2::InternetGateway": "Internet gateway",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::Subnet": "Subnets",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Load balancer",
    "AWS::ElasticLoadBalancingV2::Listener": "Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Target group",
    "AWS::ECR::Repository": "Image repository",
    "AWS::ECS::Cluster": "Cluster",
    "AWS::ECS::Service": "Service",
    "AWS::ECS::TaskDefinition": "First task definition",
    "AWS::CodeCommit::Repository": "CodeCommit repository",
    "AWS::CodePipeline::Pipeline": "Pipeline",
    "AWS::CodeBuild::Project": "Build project",
    "AWS::CodeDeploy::DeploymentGroup": "Deployment group",
    "AWS::S3::Bucket": "Artifacts",
    "AWS::SNS::Topic": "Topic",
    "AWS::CloudWatch::Alarm": "Alarms",
    "AWS::Lambda::Function": "Function",
    "AWS::Events::Rule": "Rules",
}
# Each of these is a box of its own, with the last part of its construct path.
APART = {
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::EC2::Subnet",
    "AWS::Lambda::Function",
}
DRAWINGS = ("Network", "Compute", "Pipeline")
# What a reference means, by the property that it stands in; of others the arrow has no word.
MEANS = {
    "AWS::EC2::NatGateway": {"SubnetId": "stands in"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {"Subnets": "stands in"},
    "AWS::ElasticLoadBalancingV2::Listener": {
        "LoadBalancerArn": "listens on",
        "DefaultActions": "forwards to",
    },
    "AWS::ECS::Service": {
        "Cluster": "runs in",
        "NetworkConfiguration": "runs in",
        "TaskDefinition": "begins with",
        "LoadBalancers": "is first behind",
    },
    "AWS::CodePipeline::Pipeline": {
        "ArtifactStore": "writes to",
        "Source": "takes from",
        "Build": "starts",
        "Deploy": "starts",
    },
    "AWS::CodeBuild::Project": {"Environment": "fills in"},
    "AWS::CodeDeploy::DeploymentGroup": {
        "AlarmConfiguration": "heeds",
        "ECSServices": "replaces tasks of",
        "LoadBalancerInfo": "moves",
    },
    "AWS::CloudWatch::Alarm": {"Dimensions": "watch", "Metrics": "watch", "AlarmActions": "tell"},
    "AWS::Events::Rule": {"EventPattern": "watch", "Targets": "start"},
    "AWS::Lambda::Function": {"Environment": "asks", "VpcConfig": "runs in"},
}
# One property may name several kinds: a topic starts nothing, and the traffic moves between target groups.
KINDS = {
    ("AWS::SNS::Topic", "start"): "tell",
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "moves"): "chooses",
}
# What a role may do says more than a name in the environment.
GRANTS = {"ecr:PutImage": "pushes to", "ecr:BatchGetImage": "pulls from"}
ROLE = "AWS::IAM::Role"
Resources = dict[str, dict[str, Any]]
Arrow = tuple[str, str, str]


def drawings(folder: Path) -> str:
    """Return the drawings of a synthesized environment."""
    resources = dict(_resources(folder))
    words: dict[tuple[str, str], set[str]] = {}
    granted = {(start, end): word for start, end, word in reversed([*_granted(resources)])}
    for start, end, word in [*_arrows(resources), *_routes(resources)]:
        words.setdefault((start, end), set()).add(word)
    words |= {ends: {word} for ends, word in granted.items()}
    arrows = sorted((start, end, " and ".join(sorted(said - {""}))) for (start, end), said in words.items())
    return "\n".join(_drawing(name, resources, arrows) for name in DRAWINGS)


def _resources(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all resources by their names; each knows its stack, and what it is called in other stacks."""
    for path in sorted(folder.glob("*.nested.template.json")):
        template = json.loads(path.read_text("utf-8"))
        outputs = template.get("Outputs", {}).items()
        for name, one in template["Resources"].items():
            properties = one.get("Properties", {})
            own = {
                **one,
                "Properties": properties,
                "stack": one["Metadata"]["aws:cdk:path"].split("/")[1],
                "called": {
                    str(value) for key, value in properties.items() if key.endswith("Name") or key == "Family"
                },
                "outputs": [key for key, value in outputs if name in _referred(value["Value"])],
            }
            yield name, own


def _arrows(resources: Resources) -> Iterator[Arrow]:
    """Yield what refers to what, with the word of the property."""
    direct = {name: set(_names(one["Properties"], resources)) - {name} for name, one in resources.items()}
    for name, one in resources.items():
        if one["Type"] in DRAWN:
            for key, value in _parts(one):
                word = MEANS.get(one["Type"], {}).get(key, "")
                first = {**direct, name: set(_names(value, resources)) - {name}}
                for other in _drawn(name, first, resources, {name}):
                    if _box(name, resources) != _box(other, resources):
                        said = KINDS.get((resources[other]["Type"], word), word)
                        yield _box(name, resources), _box(other, resources), said


def _parts(one: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a resource's properties; of a pipeline's stages each action, by AWS's category of it."""
    for key, value in one["Properties"].items():
        if one["Type"] == "AWS::CodePipeline::Pipeline" and key == "Stages":
            for action in (action for stage in value for action in stage["Actions"]):
                yield action["ActionTypeId"]["Category"], action
        else:
            yield key, value


def _routes(resources: Resources) -> Iterator[Arrow]:
    """Yield by which gateway a subnet's table sends what is for nobody inside."""
    found = [(one["Type"], one["Properties"]) for one in resources.values()]
    tables = [one for kind, one in found if kind == "AWS::EC2::SubnetRouteTableAssociation"]
    for route in (one for kind, one in found if kind == "AWS::EC2::Route"):
        gateways = {key: value for key, value in route.items() if key in ("GatewayId", "NatGatewayId")}
        for table in (one for one in tables if one["RouteTableId"] == route["RouteTableId"]):
            for subnet in _names(table["SubnetId"], resources):
                for gateway in _names(gateways, resources):
                    yield _box(subnet, resources), _box(gateway, resources), "goes out by"


def _granted(resources: Resources) -> Iterator[Arrow]:
    """Yield what the roles of a resource may do with an image repository, the most first."""
    for (name, one), (action, word) in product(resources.items(), GRANTS.items()):
        roles = _names(one["Properties"], resources) if one["Type"] in DRAWN else ()
        for role in (resources[other] for other in roles if resources[other]["Type"] == ROLE):
            for policy in role["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    if action in statement["Action"]:
                        for other in _names(statement["Resource"], resources):
                            yield _box(name, resources), _box(other, resources), word


def _drawn(name: str, direct: Mapping[str, set[str]], resources: Resources, seen: set[str]) -> Iterator[str]:
    """Yield what a resource leads to, past those that are not drawn; a role leads too far to be followed."""
    for other in direct[name] - seen:
        seen.add(other)
        if resources[other]["Type"] in DRAWN:
            yield other
        elif resources[other]["Type"] != ROLE:
            yield from _drawn(other, direct, resources, seen)


def _names(value: Any, resources: Resources) -> Iterator[str]:
    """Yield the resources that a value names: by reference, another stack's output, or their own names."""
    said, texts = _referred(value), set(_texts(value))
    for name, one in resources.items():
        outside = any(found.endswith(f"Outputs{output}") for found in said for output in one["outputs"])
        if name in said or outside or (one["Type"] in DRAWN and one["called"] & texts):
            yield name


def _referred(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for one in value for name in _referred(one)}
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {str(value["Ref"])}
    if "Fn::GetAtt" in value:
        return {str(value["Fn::GetAtt"][0])}
    return {name for one in value.values() for name in _referred(one)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _box(name: str, resources: Resources) -> str:
    one = resources[name]
    label = DRAWN[one["Type"]]
    if one["Type"] not in APART:
        return label
    path = one["Metadata"]["aws:cdk:path"].split("/")
    parts = [part for part in path if part not in ("Resource", "Subnet", "Function", "Handler")]
    if "::" in parts[-1]:
        return f"{label} of the CDK's"
    return f"{label} {re.sub('Subnet[0-9]+', '', parts[-1])}"


def _drawing(stack: str, resources: Resources, arrows: list[Arrow]) -> str:
    own = [name for name, one in resources.items() if one["stack"] == stack and one["Type"] in DRAWN]
    inside = {_box(name, resources) for name in own}
    shown = [one for one in arrows if one[0] in inside]
    number = {label: f"n{index}" for index, label in enumerate(sorted(inside | {end for _, end, _ in shown}))}
    # What stands in another stack is round.
    boxes = [f'["{label}"]' if label in inside else f'(["{label}"])' for label in number]
    lines = [f"  {one}{box}" for one, box in zip(number.values(), boxes, strict=True)]
    lines += [f"  {number[start]} -->{word and f'|{word}|'} {number[end]}" for start, end, word in shown]
    return "\n".join([f"### {stack}\n", "```mermaid", "flowchart LR", *lines, "```", ""])


def main() -> int:
    """Do what the one argument asks."""
    parser = argparse.ArgumentParser(prog="python -m tools.diagram", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the drawings into docs/architecture.md")
    what.add_argument("--check", action="store_true", help="say whether they are current, and change nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        synthesize(defaults(), Path(folder))
        text = drawings(Path(folder))
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if asked.write:
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", "utf-8")
    elif not (begin and end) or rest.partition(END)[0] != f"\n{text}":
        print(f"error: the drawings are not current: {parser.prog} --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
