"""The records of Application Auto Scaling."""

from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
# The parameters of every request that name a target.
KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
DEFAULT_COOLDOWN = 300


@dataclass
class ScalingPolicy:
    """A policy: `content` is what DescribeScalingPolicies shows."""

    content: dict[str, Any]
    # When it last scaled (of the clock), and whether out; how many tasks there were before its cooldown.
    last_scaled: float | None = None
    last_capacity: int = 0
    last_out: bool = False

    @property
    def arn(self) -> str:
        """The ARN."""
        return str(self.content["PolicyARN"])

    @property
    def name(self) -> str:
        """The name."""
        return str(self.content["PolicyName"])

    @property
    def resource(self) -> str:
        """The resource id of its target."""
        return str(self.content["ResourceId"])

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration of its target tracking."""
        found: dict[str, Any] = self.content["TargetTrackingScalingPolicyConfiguration"]
        return found

    @property
    def alarm_names(self) -> list[str]:
        """The names of its alarms."""
        return [alarm["AlarmName"] for alarm in self.content["Alarms"]]

    def cooldown(self, *, out: bool) -> float:
        """Return AWS's seconds between two activities."""
        key = "ScaleOutCooldown" if out else "ScaleInCooldown"
        return float(self.configuration.get(key, DEFAULT_COOLDOWN))


@dataclass
class ScalableTarget:
    """A target: `content` is what DescribeScalableTargets shows."""

    content: dict[str, Any]
    # The newest first.
    activities: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """The resource id, `service/CLUSTER/SERVICE`."""
        return str(self.content["ResourceId"])

    @property
    def service(self) -> tuple[str, str]:
        """The names of the cluster and of the service."""
        _, cluster, name = self.resource.split("/")
        return cluster, name

    def limit(self, capacity: int) -> int:
        """Return a capacity within the minimum and the maximum."""
        return int(min(max(capacity, self.content["MinCapacity"]), self.content["MaxCapacity"]))

    def suspended(self, *, out: bool) -> bool:
        """Return whether scaling by policies is suspended in this direction."""
        key = "DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"
        return bool(self.content["SuspendedState"][key])
