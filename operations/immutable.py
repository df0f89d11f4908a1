"""Find changes to properties that are immutable after the first deploy (pitfalls C1, C5, C6, C11).

AWS rejects some of them midway through the update; a change of a listener it accepts, and misroutes traffic.
A setting that the deployment would drop is found too, and what the assembly would run where it is deployed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.account import Account
from operations.assembly_commands import find_commands
from operations.dropped_settings import DroppedSetting, Resources, dropped_settings
from operations.errors import OperationsError
from operations.names import Names
from operations.root_stack import root_stack, template_resources

STACK = "AWS::CloudFormation::Stack"
# The types that must not change, and why.
REASONS = {
    "AWS::EC2::VPC": "a new VPC requires new subnets, a new load balancer and a new service",
    "AWS::ECS::Service": "ECS rejects an update by CloudFormation of a service that CodeDeploy releases",
    "AWS::ElasticLoadBalancingV2::Listener": "its traffic would return to the first target group",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "a new target group requires a new service",
}
# The properties that must not change, where not all of them.
PROPERTIES = {"AWS::EC2::VPC": ("CidrBlock",)}
# Properties that can be changed in another way.
REMEDIES = {
    "DesiredCount": "aws ecs update-service --cluster cluster-{suffix} --service service-{suffix} "
    "--desired-count {after}",
}
DEFAULT_REMEDY = "revert it, or deploy a new environment with it"


@dataclass(frozen=True)
class Change:
    """One property of one resource, before and after; None where it is absent."""

    suffix: str
    kind: str
    resource: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        change = f"{self.name} would change from {_short(self.before)} to {_short(self.after)}"
        remedy = REMEDIES.get(self.name, DEFAULT_REMEDY).format(suffix=self.suffix, after=self.after)
        return f"{self.kind} {self.resource}: {change}, and {REASONS[self.kind]}. Instead: {remedy}"


def find(suffix: str, account: Account, folder: Path) -> list[str | DroppedSetting | Change]:
    """Compare the templates in `folder` with the deployed ones; before the first deploy, nothing changes.

    What an assembly would run is found first, and then nothing else.

    Raises `OperationsError` when the folder has no templates of this environment.
    """
    root = _root(suffix, folder)
    if commands := find_commands(folder):
        return [*commands]
    if root_stack(suffix, account) is None:
        return []
    new = dict(_synthesized(root, folder))
    stack = Names(suffix).stack
    changes = [
        change
        for part, resources in _deployed(stack, account)
        for id_, before in resources.items()
        if before["Type"] in REASONS
        for change in _changes(suffix, id_, before, new.get(part, {}).get(id_))
    ]
    return [*dropped_settings(template_resources(stack, account), root["Resources"]), *changes]


def _changes(
    suffix: str, id_: str, before: Mapping[str, Any], after: Mapping[str, Any] | None
) -> Iterator[Change]:
    if after is None:
        yield Change(suffix, before["Type"], id_, "the resource", "what it is", None)
        return
    old, new = before.get("Properties", {}), after.get("Properties", {})
    for name in PROPERTIES.get(before["Type"]) or sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Change(suffix, before["Type"], id_, name, old.get(name), new.get(name))


def _root(suffix: str, folder: Path) -> Mapping[str, Any]:
    """Read the template of the root stack, which the manifest of the assembly names."""
    try:
        artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
        stacks = [one for one in artifacts.values() if one["type"] == "aws:cloudformation:stack"]
        (ours,) = (one for one in stacks if one["properties"].get("stackName") == Names(suffix).stack)
        template: Mapping[str, Any] = json.loads((folder / ours["properties"]["templateFile"]).read_text())
    except (OSError, ValueError, KeyError) as error:
        raise OperationsError(
            f"{folder} has no templates of {suffix}: run `cdk synth -q -c environmentSuffix={suffix}` first"
        ) from error
    return template


def _synthesized(root: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Resources]]:
    for id_, resource in root["Resources"].items():
        if resource["Type"] == STACK:
            path = folder / resource["Metadata"]["aws:asset:path"]
            yield id_, json.loads(path.read_text())["Resources"]


def _deployed(stack: str, account: Account) -> Iterator[tuple[str, Resources]]:
    for one in account.pages(
        "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
    ):
        if one["ResourceType"] == STACK and one.get("PhysicalResourceId"):
            yield one["LogicalResourceId"], template_resources(one["PhysicalResourceId"], account)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
