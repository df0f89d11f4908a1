"""Compares where the listeners send their traffic with the task set that serves, and mends it (pitfall C5).

CodeDeploy moves the listeners behind CloudFormation's back. Should a stack update, or a person, move them
back, requests reach an empty target group, and the next deployment is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from operations.account import Account, code_of
from operations.errors import OperationsError
from operations.quiesce import GONE, deployments

Say = Callable[[str], None]
Action = Mapping[str, Any]
# What a listener may do before it forwards; a repair leaves it alone.
BEFORE_FORWARDING = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")


@dataclass(frozen=True)
class Listener:
    """One listener of the deployment group, and where its default traffic goes, in per cent by group."""

    route: str
    arn: str
    address: str
    actions: Sequence[Action]
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Traffic:
    """What serves, and who sends requests there; target groups by their ARN."""

    suffix: str
    task_set: str
    primary: str
    groups: Mapping[str, str]
    listeners: Sequence[Listener]
    healthy: int
    targets: int

    @property
    def drifted(self) -> list[Listener]:
        """The listeners that do not send their traffic where it belongs."""
        return [listener for listener in self.listeners if not self.fits(listener)]

    def fits(self, listener: Listener) -> bool:
        """Say whether a listener's traffic is where CodeDeploy, or CloudFormation before it, has put it.

        Production's goes to the PRIMARY task set. The test listener's may go to the idle group: it does so
        until the first release, and CodeDeploy moves it before it looks.
        """
        allowed = [self.primary] if listener.route == "production" else list(self.groups)
        return any(listener.shares.get(group) == 100 for group in allowed)

    def said(self, listener: Listener) -> str:
        """Say in words where a listener's traffic goes."""
        if not listener.shares:
            return f"no target group ({', '.join(action['Type'] for action in listener.actions)})"
        named = ((self.groups.get(arn, arn.split("/")[-2]), share) for arn, share in listener.shares.items())
        return ", ".join(f"{name} {share:g} %" for name, share in named if share)


def look(suffix: str, account: Account) -> Traffic:
    """Look where the traffic goes and where it belongs.

    Raises `OperationsError` when there is no such environment, and while a deployment moves the traffic.
    """
    group = _deployment_group(suffix, account)
    _refuse_while_deploying(suffix, account)
    pair = group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    names = [one["name"] for one in pair["targetGroups"]]
    elbv2 = account.client("elbv2")
    found = elbv2.describe_target_groups(Names=names)["TargetGroups"]
    groups = {one["TargetGroupArn"]: one["TargetGroupName"] for one in found}
    task_set, primary = _primary(group["ecsServices"][0], account)
    if primary not in groups:
        raise OperationsError(
            f"the PRIMARY task set {task_set} is behind {primary}, which is none of {', '.join(names)}: "
            f"see who changed {group['deploymentGroupName']}"
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


def repair(traffic: Traffic, account: Account, say: Say, *, dry_run: bool = False) -> None:
    """Send the drifted listeners' traffic to the PRIMARY task set's target group.

    Raises `OperationsError` when nothing healthy is there, and when a deployment has begun meanwhile.
    """
    name = traffic.groups[traffic.primary]
    if traffic.drifted and not traffic.healthy:
        raise OperationsError(
            f"{name} has no healthy target, so no traffic was sent there: see why the tasks of "
            f"{traffic.task_set} fail, in the log group /ecs/task-{traffic.suffix}"
        )
    for listener in traffic.drifted:
        said = f"the {listener.route} listener {listener.address} to {name}"
        if dry_run:
            say(f"would send {said}")
            continue
        _refuse_while_deploying(traffic.suffix, account)
        actions = _repaired(listener.actions, traffic)
        account.client("elbv2").modify_listener(ListenerArn=listener.arn, DefaultActions=actions)
        say(f"sent {said}")


def tell(traffic: Traffic, console: Console) -> None:
    """Print where each listener's traffic goes, and one line that says whether that is right."""
    table = Table("Listener", "Sends its traffic to", "", title=f"Traffic of {traffic.suffix}")
    for listener in traffic.listeners:
        verdict = "[green]ok" if traffic.fits(listener) else "[red]drifted"
        table.add_row(f"{listener.route} {listener.address}", traffic.said(listener), verdict)
    console.print(table)
    count = len(traffic.drifted)
    serving = f"the PRIMARY task set {traffic.task_set} is behind {traffic.groups[traffic.primary]}"
    healthy = f"{traffic.healthy} of {traffic.targets} targets healthy"
    drift = f"{count or 'no'} listener{'s' * (count != 1)} drifted"
    console.print(f"{traffic.suffix}: {serving}, {healthy}; {drift}", highlight=False, soft_wrap=True)


def _deployment_group(suffix: str, account: Account) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = account.client("codedeploy").get_deployment_group(
            applicationName=f"application-{suffix}", deploymentGroupName=f"deployment-group-{suffix}"
        )["deploymentGroupInfo"]
    except ClientError as error:
        if code_of(error) in GONE:
            raise OperationsError(
                f"there is no deployment-group-{suffix} in account {account.id}, {account.region}: "
                "deploy it first, or see whether the suffix and the account are the right ones"
            ) from error
        raise
    return found


def _refuse_while_deploying(suffix: str, account: Account) -> None:
    if running := list(deployments(suffix, account)):
        raise OperationsError(
            f"deployment {', '.join(running)} runs and moves the traffic itself: ask again when it is over"
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
        f"{name} in {cluster} has no PRIMARY task set, so nothing says where traffic belongs"
    )


def _listener(route: str, arn: str, account: Account) -> Listener:
    found = account.client("elbv2").describe_listeners(ListenerArns=[arn])["Listeners"][0]
    actions = found["DefaultActions"]
    return Listener(route, arn, f"{found['Protocol']}:{found['Port']}", actions, shares(actions))


def shares(actions: Sequence[Action]) -> dict[str, float]:
    """Return the per cent of the traffic that each target group gets; none when it is not forwarded."""
    forward = next((action for action in actions if action["Type"] == "forward"), None)
    if forward is None:
        return {}
    groups = forward.get("ForwardConfig", {}).get("TargetGroups") or [forward]
    weights = {one["TargetGroupArn"]: one.get("Weight", 1) for one in groups}
    total = sum(weights.values())
    return {arn: 100 * weight / total for arn, weight in weights.items()} if total else {}


def _repaired(actions: Sequence[Action], traffic: Traffic) -> list[Action]:
    """Return the actions with all traffic to the PRIMARY's group; both stay on it, as CodeDeploy has it."""
    groups = [
        {"TargetGroupArn": arn, "Weight": 100 if arn == traffic.primary else 0} for arn in traffic.groups
    ]
    before = [action for action in actions if action["Type"] in BEFORE_FORWARDING]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    if before:
        forward["Order"] = 1 + max(action["Order"] for action in before)
    return [*before, forward]
