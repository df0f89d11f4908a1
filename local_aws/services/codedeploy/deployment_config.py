"""Deployment configurations of ECS: how production traffic shifts, and in which steps."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_aws.core.api import now

DEFAULT = "CodeDeployDefault.ECSAllAtOnce"
PREFIX = "CodeDeployDefault."


@dataclass(frozen=True)
class TrafficStep:
    """Green's share of traffic in per cent, and AWS's minutes until the next step."""

    percentage: int
    minutes: int = 0


@dataclass(frozen=True)
class DeploymentConfig:
    """One deployment configuration; `routing` in the API's shape (`trafficRoutingConfig`)."""

    name: str
    routing: Mapping[str, Any]
    id: str
    created: datetime = field(default_factory=now)

    def steps(self) -> list[TrafficStep]:
        """Return the steps in which traffic shifts; the last one is 100 per cent."""
        kind = self.routing["type"]
        if kind == "TimeBasedCanary":
            canary = self.routing["timeBasedCanary"]
            return [TrafficStep(canary["canaryPercentage"], canary["canaryInterval"]), TrafficStep(100)]
        if kind == "TimeBasedLinear":
            linear = self.routing["timeBasedLinear"]
            size, minutes = linear["linearPercentage"], linear["linearInterval"]
            return [TrafficStep(share, minutes) for share in range(size, 100, size)] + [TrafficStep(100)]
        return [TrafficStep(100)]


def new_id() -> str:
    """Return the id of a new configuration."""
    return str(uuid.uuid4())


def canary(percentage: int, minutes: int) -> dict[str, Any]:
    """Return the routing of a canary."""
    share = {"canaryPercentage": percentage, "canaryInterval": minutes}
    return {"type": "TimeBasedCanary", "timeBasedCanary": share}


def linear(percentage: int, minutes: int) -> dict[str, Any]:
    """Return the routing of equal steps."""
    share = {"linearPercentage": percentage, "linearInterval": minutes}
    return {"type": "TimeBasedLinear", "timeBasedLinear": share}


_RELEASED = datetime(2020, 1, 1, tzinfo=UTC)
PREDEFINED = {
    PREFIX + name: DeploymentConfig(
        PREFIX + name, routing, f"00000000-0000-0000-0000-{number:012d}", _RELEASED
    )
    for number, (name, routing) in enumerate(
        {
            "ECSAllAtOnce": {"type": "AllAtOnce"},
            "ECSCanary10Percent5Minutes": canary(10, 5),
            "ECSCanary10Percent15Minutes": canary(10, 15),
            "ECSLinear10PercentEvery1Minutes": linear(10, 1),
            "ECSLinear10PercentEvery3Minutes": linear(10, 3),
        }.items(),
        1,
    )
}
