"""Where the listeners point to, and where CodeDeploy left them (pitfall C5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .finding import Finding, Findings

# https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
IN_PROGRESS = ["Created", "Queued", "InProgress", "Baking", "Ready"]


@dataclass(frozen=True)
class Route:
    """The listeners of the deployment group by their role, and the ARNs of its target groups."""

    listeners: Mapping[str, str]
    groups: Collection[str]

    def allowed(self, listener: str, primary: str) -> Collection[str]:
        """Return where a listener may point to: the test listener, to the idle target group too."""
        return [primary] if listener == "production" else self.groups


def is_deploying(codedeploy: Any, application: str, group: str) -> bool:
    """Say whether a deployment is in progress, which shifts the traffic."""
    found = codedeploy.list_deployments(
        applicationName=application, deploymentGroupName=group, includeOnlyStatuses=IN_PROGRESS
    )
    return bool(found["deployments"])


def drifted_listeners(elbv2: Any, route: Route, primary: str, suffix: str) -> Findings:
    """Return the listeners that point elsewhere than to the target group of the PRIMARY task set."""
    found = {name: _target(elbv2, listener) for name, listener in route.listeners.items()}
    return {
        f"the {name} listener": Finding(
            f"The {name} listener points to {_named(target)}, and the PRIMARY task set is behind "
            f"{_named(primary)}. Run: python -m operations drift {suffix} --repair"
        )
        for name, target in found.items()
        if target not in route.allowed(name, primary)
    }


def _target(elbv2: Any, listener: str) -> str:
    """Return the one target group with all of a listener's traffic, or text that says what there is."""
    try:
        (found,) = elbv2.describe_listeners(ListenerArns=[listener])["Listeners"]
    except elbv2.exceptions.ListenerNotFoundException:
        return "nothing: it is deleted"
    for action in found["DefaultActions"]:
        if action["Type"] == "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
            weighted = sorted(one["TargetGroupArn"] for one in groups if one.get("Weight", 1))
            return " and ".join(weighted) or "nothing"
    return "nothing: it forwards no request"


def _named(target: str) -> str:
    """Return the names of target groups, in place of their ARNs."""
    parts = [part.split("/")[1] if "/" in part else part for part in target.split(" and ")]
    return " and ".join(parts)
