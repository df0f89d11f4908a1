"""Finds what a deploy would change though nobody may after the first one (pitfalls C1, C5, C6).

AWS finds it too, but half way through the update; of a listener it says nothing, and the traffic is gone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.account import Account
from operations.errors import OperationsError
from operations.root_stack import root_stack

STACK = "AWS::CloudFormation::Stack"
# Why nobody may change one of them.
WHY = {
    "AWS::ECS::Service": "ECS refuses what CloudFormation would send of a service that CodeDeploy releases",
    "AWS::ElasticLoadBalancingV2::Listener": "its traffic would go back to where the first deploy sent it",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "a new target group would need a new service",
}
# Properties that can be changed in another way.
WAY_OUT = {
    "DesiredCount": "aws ecs update-service --cluster cluster-{suffix} --service service-{suffix} "
    "--desired-count {after}",
}
ANYTHING_ELSE = "take it back, or deploy another environment that has it"

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One property of one resource, before and after; None where it is missing."""

    suffix: str
    kind: str
    resource: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        change = f"{self.name} would go from {_short(self.before)} to {_short(self.after)}"
        way_out = WAY_OUT.get(self.name, ANYTHING_ELSE).format(suffix=self.suffix, after=self.after)
        return f"{self.kind} {self.resource}: {change}, and {WHY[self.kind]}. Instead: {way_out}"


def find(suffix: str, account: Account, folder: Path) -> list[Change]:
    """Compare the templates in `folder` (cdk.out) with the deployed ones; a first deploy changes nothing.

    Raises `OperationsError` when the folder has no templates of this environment.
    """
    written = _root(suffix, folder)
    if root_stack(suffix, account) is None:
        return []
    new = dict(_written(written, folder))
    deployed = dict(_deployed(f"stack-{suffix}", account))
    return [
        change
        for part, resources in deployed.items()
        for id_, before in resources.items()
        if before["Type"] in WHY
        for change in _changes(suffix, id_, before, new.get(part, {}).get(id_))
    ]


def _changes(
    suffix: str, id_: str, before: Mapping[str, Any], after: Mapping[str, Any] | None
) -> Iterator[Change]:
    if after is None:
        yield Change(suffix, before["Type"], id_, "the resource", "what it is", None)
        return
    old, new = before.get("Properties", {}), after.get("Properties", {})
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Change(suffix, before["Type"], id_, name, old.get(name), new.get(name))


def _root(suffix: str, folder: Path) -> Mapping[str, Any]:
    """Read the root stack's template, by the assembly's manifest."""
    try:
        artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
        stacks = [one for one in artifacts.values() if one["type"] == "aws:cloudformation:stack"]
        (ours,) = (one for one in stacks if one["properties"].get("stackName") == f"stack-{suffix}")
        template: Mapping[str, Any] = json.loads((folder / ours["properties"]["templateFile"]).read_text())
    except (OSError, ValueError, KeyError) as error:
        raise OperationsError(
            f"{folder} has no templates of {suffix}: run `cdk synth -q -c environmentSuffix={suffix}` first"
        ) from error
    return template


def _written(root: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Resources]]:
    for id_, resource in root["Resources"].items():
        if resource["Type"] == STACK:
            path = folder / resource["Metadata"]["aws:asset:path"]
            yield id_, json.loads(path.read_text())["Resources"]


def _deployed(stack: str, account: Account) -> Iterator[tuple[str, Resources]]:
    cloudformation = account.client("cloudformation")
    for one in account.pages(
        "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
    ):
        if one["ResourceType"] == STACK and one.get("PhysicalResourceId"):
            answer = cloudformation.get_template(StackName=one["PhysicalResourceId"])
            body = answer["TemplateBody"]
            template = json.loads(body) if isinstance(body, str) else body
            yield one["LogicalResourceId"], template["Resources"]


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
