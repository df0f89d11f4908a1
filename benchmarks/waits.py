"""The waiting times of a release on AWS in each environment, read from the templates."""

import re
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from tools.assembly import Assembly
from tools.synthesis import environment_contexts, synthesized

TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
DEPLOYMENT_GROUP = "AWS::CodeDeploy::DeploymentGroup"
# The names of CodeDeploy's predefined configurations contain their minutes.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
CANARY = re.compile(r"ECSCanary\d+Percent(\d+)Minutes$")
LINEAR = re.compile(r"ECSLinear(\d+)PercentEvery(\d+)Minutes$")

# The columns of the table: attributes of `Waits`.
COLUMNS = (
    "health_checks",
    "bake",
    "shift",
    "to_all_traffic",
    "termination",
    "deregistration",
    "total",
)


@dataclass(frozen=True)
class Waits:
    """Seconds, in the order of a release.

    `bake` is before any traffic shifts. During `termination`, the old tasks still run, so a rollback is fast.
    """

    health_checks: int
    bake: int
    shift: int
    termination: int
    deregistration: int

    @property
    def to_all_traffic(self) -> int:
        """Until the new version receives all traffic."""
        return self.health_checks + self.bake + self.shift

    @property
    def total(self) -> int:
        """Until the deployment has ended and its old tasks have stopped."""
        return self.to_all_traffic + self.termination + self.deregistration


def waits_of(assembly: Assembly) -> Waits:
    """Read the waiting times from the templates of an environment."""
    (group,) = (resource.properties for resource in assembly.resources(DEPLOYMENT_GROUP))
    # Blue or green may be the new one: the slower of them counts.
    targets = [resource.properties for resource in assembly.resources(TARGET_GROUP)]
    blue_green = group["BlueGreenDeploymentConfiguration"]
    termination = blue_green["TerminateBlueInstancesOnDeploymentSuccess"]
    return Waits(
        health_checks=max(
            target["HealthCheckIntervalSeconds"] * target["HealthyThresholdCount"] for target in targets
        ),
        bake=60 * blue_green["DeploymentReadyOption"].get("WaitTimeInMinutes", 0),
        shift=shift_of(group["DeploymentConfigName"]),
        termination=60 * termination["TerminationWaitTimeInMinutes"],
        deregistration=max(map(_deregistration_delay, targets)),
    )


def shift_of(config: str) -> int:
    """Return the seconds of a traffic shift. Raises ValueError for a configuration that is not predefined."""
    if config.endswith("ECSAllAtOnce"):
        return 0
    if found := CANARY.search(config):
        return 60 * int(found[1])
    if found := LINEAR.search(config):
        share, minutes = int(found[1]), int(found[2])
        # The first share shifts at once.
        return 60 * minutes * (-(-100 // share) - 1)
    raise ValueError(f"{config} is no predefined deployment configuration")


def _deregistration_delay(target: dict[str, Any]) -> int:
    attributes = {one["Key"]: one["Value"] for one in target["TargetGroupAttributes"]}
    return int(attributes["deregistration_delay.timeout_seconds"])


def waits() -> Table:
    """Return the waiting times of the environments of cdk.json."""
    table = Table("environment", title="Waiting times of a release on AWS, without builds and starts")
    for column in COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for name, context in environment_contexts().items():
        found = waits_of(synthesized(context))
        table.add_row(name, *(duration(getattr(found, column)) for column in COLUMNS))
    return table


def duration(seconds: int) -> str:
    """Format seconds as minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes))
