"""Deployment configurations of ECS: how production traffic moves, and in which steps."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_aws.core.api import AwsError, now

DEFAULT = "CodeDeployDefault.ECSAllAtOnce"
PREFIX = "CodeDeployDefault."


@dataclass(frozen=True)
class Step:
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

    def steps(self) -> list[Step]:
        """Return the steps in which traffic moves; the last one is 100 per cent."""
        kind = self.routing["type"]
        if kind == "TimeBasedCanary":
            canary = self.routing["timeBasedCanary"]
            return [Step(canary["canaryPercentage"], canary["canaryInterval"]), Step(100)]
        if kind == "TimeBasedLinear":
            linear = self.routing["timeBasedLinear"]
            size, minutes = linear["linearPercentage"], linear["linearInterval"]
            return [Step(share, minutes) for share in range(size, 100, size)] + [Step(100)]
        return [Step(100)]

    def describe(self) -> dict[str, Any]:
        """Return DeploymentConfigInfo."""
        return {
            "deploymentConfigId": self.id,
            "deploymentConfigName": self.name,
            "createTime": self.created,
            "computePlatform": "ECS",
            "trafficRoutingConfig": dict(self.routing),
        }


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


def check(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the routing of a CreateDeploymentConfig request, or refuse it as AWS does."""
    name = params["deploymentConfigName"]
    if name.startswith(PREFIX):
        raise AwsError("InvalidDeploymentConfigNameException", f"{name} starts with the reserved {PREFIX}")
    if params.get("computePlatform", "Server") != "ECS":
        raise AwsError(
            "UnsupportedOperation", "local_aws does not implement compute platforms other than ECS", 501
        )
    if params.get("minimumHealthyHosts") or params.get("zonalConfig"):
        raise AwsError(
            "InvalidMinimumHealthyHostValueException", "ECS deployments have no minimum of healthy hosts"
        )
    routing = params.get("trafficRoutingConfig")
    if not routing:
        raise AwsError(
            "InvalidTrafficRoutingConfigurationException", "trafficRoutingConfig must be specified"
        )
    kind = routing.get("type")
    if kind == "AllAtOnce":
        return {"type": kind}
    label = str(kind).removeprefix("TimeBased").lower()
    share = routing.get(f"timeBased{label.capitalize()}", {})
    percentage, minutes = share.get(f"{label}Percentage", 0), share.get(f"{label}Interval", 0)
    if label not in ("canary", "linear") or not 0 < percentage < 100 or not 0 < minutes <= 2880:
        raise AwsError(
            "InvalidTrafficRoutingConfigurationException",
            f"{kind} needs a percentage of 1 to 99 and an interval of 1 to 2880 minutes",
        )
    return canary(percentage, minutes) if label == "canary" else linear(percentage, minutes)
