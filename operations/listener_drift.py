"""Compare the listeners with the PRIMARY task set, and repair drift (pitfall C5).

CodeDeploy points the listeners to another target group, of which CloudFormation is unaware. If a stack
update or a person points them back, requests reach an empty target group, and the next deployment fails.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from operations.account import Account, code_of
from operations.errors import OperationsError
from operations.names import Names
from operations.quiesce import GONE, deployments
from operations.waiting import NotYetError, wait_for

Log = Callable[[str], None]
Action = Mapping[str, Any]
# Actions that a listener may have before `forward`; a repair keeps them.
BEFORE_FORWARDING = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")


@dataclass(frozen=True)
class Listener:
    """One listener of the deployment group, and the share of each target group in percent."""

    route: str
    arn: str
    address: str
    actions: Sequence[Action]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Traffic:
    """The PRIMARY task set, and the listeners; target groups are keyed by their ARN."""

    suffix: str
    task_set: str
    primary: str
    groups: Mapping[str, str]
    listeners: Sequence[Listener]
    healthy: int
    targets: int

    @property
    def drifted(self) -> list[Listener]:
        """The listeners that point to a wrong target group."""
        return [listener for listener in self.listeners if not self.is_correct(listener)]

    def is_correct(self, listener: Listener) -> bool:
        """Return whether a listener points to a target group that CodeDeploy expects.

        The production listener points to the PRIMARY task set. The test listener may point to the idle target
        group, as it does until the first release.
        """
        allowed = [self.primary] if listener.route == "production" else list(self.groups)
        return any(listener.shares.get(group) == 100 for group in allowed)

    def describe(self, listener: Listener) -> str:
        """Return the target groups of a listener as text."""
        if not listener.shares:
            return f"no target group ({', '.join(action['Type'] for action in listener.actions)})"
        named = ((self.groups.get(arn, arn.split("/")[-2]), share) for arn, share in listener.shares.items())
        return ", ".join(f"{name} {share:g} %" for name, share in named if share)

    def as_data(self) -> dict[str, Any]:
        """Return it as data for JSON, with the names of the target groups."""
        return {
            "suffix": self.suffix,
            "task_set": self.task_set,
            "target_group": self.groups[self.primary],
            "healthy": self.healthy,
            "targets": self.targets,
            "listeners": [
                {
                    "route": each.route,
                    "address": each.address,
                    "shares": {self.groups.get(arn, arn): share for arn, share in each.shares.items()},
                    "has_drifted": not self.is_correct(each),
                }
                for each in self.listeners
            ],
        }


def inspect(suffix: str, account: Account) -> Traffic:
    """Return where the traffic goes and where it belongs.

    Raises `OperationsError` when there is no such environment, and during a deployment.
    """
    group = _deployment_group(suffix, account)
    _reject_during_deployment(suffix, account)
    pair = group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    names = [one["name"] for one in pair["targetGroups"]]
    elbv2 = account.client("elbv2")
    found = elbv2.describe_target_groups(Names=names)["TargetGroups"]
    groups = {one["TargetGroupArn"]: one["TargetGroupName"] for one in found}
    task_set, primary = _primary(group["ecsServices"][0], account)
    if primary not in groups:
        raise OperationsError(
            f"the PRIMARY task set {task_set} is behind {primary}, which is none of {', '.join(names)}: "
            f"find out who changed {group['deploymentGroupName']}"
        )
    routes = {"production": "prodTrafficRoute", "test": "testTrafficRoute"}
    arns = {route: pair.get(key, {}).get("listenerArns", []) for route, key in routes.items()}
    health = elbv2.describe_target_health(TargetGroupArn=primary)["TargetHealthDescriptions"]
    return Traffic(
        suffix,
        task_set,
        primary,
        groups,
        [_listener(route, arn, account) for route, some in arns.items() for arn in some],
        sum(1 for one in health if one["TargetHealth"]["State"] == "healthy"),
        len(health),
    )


def wait_for_deployments(suffix: str, account: Account, minutes: float) -> None:
    """Wait until CodeDeploy no longer shifts the traffic. Raises `TimedOutError` after `minutes`."""

    def check() -> None:
        if running := list(deployments(suffix, account)):
            raise NotYetError(f"in progress: {', '.join(running)}")

    wait_for(f"the end of every deployment of {suffix}", check, deadline=60 * minutes, interval=15)


def repair(traffic: Traffic, account: Account, log: Log, *, dry_run: bool = False) -> None:
    """Point the drifted listeners to the target group of the PRIMARY task set.

    Raises `OperationsError` when it has no healthy target, and when a deployment has started meanwhile.
    """
    name = traffic.groups[traffic.primary]
    if traffic.drifted and not traffic.healthy:
        raise OperationsError(
            f"{name} has no healthy target, so no listener was changed: see why the tasks of "
            f"{traffic.task_set} fail, in the log group {Names(traffic.suffix).task_log_group}"
        )
    for listener in traffic.drifted:
        change = f"the {listener.route} listener {listener.address} to {name}"
        if dry_run:
            log(f"would point {change}")
            continue
        _reject_during_deployment(traffic.suffix, account)
        actions = _repaired(listener.actions, traffic)
        account.client("elbv2").modify_listener(ListenerArn=listener.arn, DefaultActions=actions)
        log(f"pointed {change}")


def print_report(traffic: Traffic, console: Console) -> None:
    """Print a table of the listeners, and one line with the number of drifted ones."""
    table = Table("Listener", "Points to", "", title=f"Traffic of {traffic.suffix}")
    for listener in traffic.listeners:
        verdict = "[green]ok" if traffic.is_correct(listener) else "[red]drifted"
        table.add_row(f"{listener.route} {listener.address}", traffic.describe(listener), verdict)
    console.print(table)
    count = len(traffic.drifted)
    serving = f"the PRIMARY task set {traffic.task_set} is behind {traffic.groups[traffic.primary]}"
    healthy = f"{traffic.healthy} of {traffic.targets} targets healthy"
    drift = f"{count or 'no'} listener{'s' * (count != 1)} drifted"
    console.print(f"{traffic.suffix}: {serving}, {healthy}; {drift}", highlight=False, soft_wrap=True)


def _deployment_group(suffix: str, account: Account) -> Mapping[str, Any]:
    names = Names(suffix)
    try:
        found: Mapping[str, Any] = account.client("codedeploy").get_deployment_group(
            applicationName=names.application, deploymentGroupName=names.deployment_group
        )["deploymentGroupInfo"]
    except ClientError as error:
        if code_of(error) in GONE:
            raise OperationsError(
                f"there is no {names.deployment_group} in account {account.id}, {account.region}: "
                "deploy it first, or check the suffix and the account"
            ) from error
        raise
    return found


def _reject_during_deployment(suffix: str, account: Account) -> None:
    if running := list(deployments(suffix, account)):
        raise OperationsError(
            f"deployment {', '.join(running)} is in progress and shifts the traffic: "
            "run this again when it has ended"
        )


def _primary(service: Mapping[str, str], account: Account) -> tuple[str, str]:
    """Return the PRIMARY task set's id and its target group."""
    cluster, name = service["clusterName"], service["serviceName"]
    answer = account.client("ecs").describe_services(cluster=cluster, services=[name])
    for found in answer["services"]:
        for task_set in found.get("taskSets", []):
            if task_set["status"] == "PRIMARY":
                return task_set["id"], task_set["loadBalancers"][0]["targetGroupArn"]
    raise OperationsError(
        f"{name} in {cluster} has no PRIMARY task set, so the right target group is unknown"
    )


def _listener(route: str, arn: str, account: Account) -> Listener:
    found = account.client("elbv2").describe_listeners(ListenerArns=[arn])["Listeners"][0]
    actions = found["DefaultActions"]
    return Listener(route, arn, f"{found['Protocol']}:{found['Port']}", actions, shares(actions))


def shares(actions: Sequence[Action]) -> dict[str, float]:
    """Return the share of each target group in percent; empty when nothing is forwarded."""
    forward = next((action for action in actions if action["Type"] == "forward"), None)
    if forward is None:
        return {}
    groups = forward.get("ForwardConfig", {}).get("TargetGroups") or [forward]
    weights = {one["TargetGroupArn"]: one.get("Weight", 1) for one in groups}
    total = sum(weights.values())
    return {arn: 100 * weight / total for arn, weight in weights.items()} if total else {}


def _repaired(actions: Sequence[Action], traffic: Traffic) -> list[Action]:
    """Return the actions with all traffic to the PRIMARY task set; both groups stay, as with CodeDeploy."""
    groups = [
        {"TargetGroupArn": arn, "Weight": 100 if arn == traffic.primary else 0} for arn in traffic.groups
    ]
    before = [action for action in actions if action["Type"] in BEFORE_FORWARDING]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    if before:
        forward["Order"] = 1 + max(action["Order"] for action in before)
    return [*before, forward]
