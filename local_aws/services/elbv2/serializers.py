"""What the API answers of the data plane's state."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from local_aws.services.elbv2.records import Target
from local_aws.services.elbv2.targets import GroupState, TargetState


class TargetDescription(TypedDict):
    """TargetDescription."""

    Id: str
    Port: int


class TargetHealth(TypedDict):
    """TargetHealth."""

    State: str
    Reason: NotRequired[str]
    Description: NotRequired[str]


class TargetHealthDescription(TypedDict):
    """TargetHealthDescription."""

    Target: TargetDescription
    HealthCheckPort: int | str
    TargetHealth: TargetHealth


def describe_target_health(group: GroupState, targets: Sequence[Target]) -> list[TargetHealthDescription]:
    """Return DescribeTargetHealth's descriptions of `targets`, or of all targets when there are none."""
    group.forget_drained()
    known = dict(group.targets)
    states = [known.get(target) or _not_registered(target) for target in targets] or list(known.values())
    return [_describe(group, state) for state in states]


def _describe(group: GroupState, state: TargetState) -> TargetHealthDescription:
    health: TargetHealth = {"State": state.state}
    if state.reason:
        health["Reason"] = state.reason
    if state.description:
        health["Description"] = state.description
    check_port = group.group.health_check.port
    return {
        "Target": {"Id": state.target.id, "Port": state.target.port},
        "HealthCheckPort": state.target.port if check_port == "traffic-port" else check_port,
        "TargetHealth": health,
    }


def _not_registered(target: Target) -> TargetState:
    state = TargetState(target)
    state.set("unused", "Target.NotRegistered")
    return state
