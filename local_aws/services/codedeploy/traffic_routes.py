"""A deployment group's listeners: which target group receives their traffic, by calls of the ELBv2 API."""

from collections.abc import Mapping
from typing import Any

from local_aws.services.codedeploy.errors import elb_not_updated


class TrafficRoutes:
    """The production and test listener of one target group pair."""

    def __init__(self, elbv2: Any, pair: Mapping[str, Any]) -> None:
        self.elbv2 = elbv2
        self.production = str(pair["prodTrafficRoute"]["listenerArns"][0])
        self.test = next(iter(pair.get("testTrafficRoute", {}).get("listenerArns", [])), None)
        names = [group["name"] for group in pair["targetGroups"]]
        found = elbv2.describe_target_groups(Names=names)["TargetGroups"]
        self.names: dict[str, str] = {group["TargetGroupArn"]: group["TargetGroupName"] for group in found}

    def other(self, target_group: str) -> str:
        """Return the pair's target group that is not `target_group`."""
        others: list[str] = [arn for arn in self.names if arn != target_group]
        if len(others) != 1:
            raise elb_not_updated(
                f"Primary taskset target group {target_group} is not one of the deployment group's pair"
            )
        return others[0]

    def check_behind(self, blue: str) -> None:
        """End a deployment whose production listener sends no traffic to `blue` (pitfall C5)."""
        if self.share(self.production, blue) <= 0:
            raise elb_not_updated(f"Primary taskset target group must be behind listener {self.production}")

    def share(self, listener: str, target_group: str) -> float:
        """Return the per cent of the listener's default traffic that goes to a target group."""
        weights = _weights(self._rules(listener)[-1]["Actions"][-1])
        total = sum(weights.values())
        return 100.0 * weights.get(target_group, 0) / total if total else 0.0

    def save(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return the rules of both listeners, for `restore`."""
        listeners = [self.production, *([self.test] if self.test else [])]
        return {listener: self._rules(listener) for listener in listeners}

    def restore(self, saved: Mapping[str, list[Mapping[str, Any]]]) -> None:
        """Restore the rules' weights; both target groups stay in the rules, as on AWS."""
        for listener, rules in saved.items():
            for rule in rules:
                before = _weights(rule["Actions"][-1])
                if len(before) == 1:
                    before = dict.fromkeys(before, 100)
                if self._is_managed(rule):
                    self._set(listener, rule, dict.fromkeys(self.names, 0) | before)

    def shift(self, listener: str, green: str, percentage: int) -> None:
        """Send `percentage` of a listener's traffic to `green`; both groups stay in its rules, as on AWS."""
        weights = {green: percentage, self.other(green): 100 - percentage}
        for rule in self._rules(listener):
            if self._is_managed(rule):
                self._set(listener, rule, weights)

    def _rules(self, listener: str) -> list[Mapping[str, Any]]:
        rules: list[Mapping[str, Any]] = self.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        return sorted(rules, key=lambda rule: bool(rule["IsDefault"]))

    def _is_managed(self, rule: Mapping[str, Any]) -> bool:
        return bool(self.names.keys() & _weights(rule["Actions"][-1]).keys())

    def _set(self, listener: str, rule: Mapping[str, Any], weights: Mapping[str, int]) -> None:
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        if rule["IsDefault"]:
            self.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])
        else:
            self.elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=[action])


def _weights(action: Mapping[str, Any]) -> dict[str, int]:
    if action["Type"] != "forward":
        return {}
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}
