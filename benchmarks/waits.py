"""What each environment makes a release wait for on AWS beside the work itself, read from its templates."""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from infrastructure.config.environments import ENVIRONMENTS
from tools.assembly import defaults, synthesize

TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
DEPLOYMENTS = "AWS::CodeDeploy::DeploymentGroup"
# CodeDeploy's names for its own ways to shift say their minutes.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
CANARY = re.compile(r"ECSCanary\d+Percent(\d+)Minutes$")
LINEAR = re.compile(r"ECSLinear(\d+)PercentEvery(\d+)Minutes$")

# What the table shows of `Waits`.
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
    """Seconds, in the order in which a release meets them.

    `bake` passes before any traffic; while the old tasks wait for their `termination`, a way back is short.
    """

    health_checks: int
    bake: int
    shift: int
    termination: int
    deregistration: int

    @property
    def to_all_traffic(self) -> int:
        """Until the new version has all traffic."""
        return self.health_checks + self.bake + self.shift

    @property
    def total(self) -> int:
        """Until the deployment is over, its old tasks gone."""
        return self.to_all_traffic + self.termination + self.deregistration


def waits_of(folder: Path) -> Waits:
    """Read the templates in a folder."""
    templates = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.template.json")]
    resources = [one for template in templates for one in template["Resources"].values()]
    (deployment,) = (one["Properties"] for one in resources if one["Type"] == DEPLOYMENTS)
    # Blue's or green's, whichever is new: the slower of them counts.
    targets = [one["Properties"] for one in resources if one["Type"] == TARGETS]
    how = deployment["BlueGreenDeploymentConfiguration"]
    ended = how["TerminateBlueInstancesOnDeploymentSuccess"]
    return Waits(
        health_checks=max(
            one["HealthCheckIntervalSeconds"] * one["HealthyThresholdCount"] for one in targets
        ),
        bake=60 * how["DeploymentReadyOption"].get("WaitTimeInMinutes", 0),
        shift=shift_of(deployment["DeploymentConfigName"]),
        termination=60 * ended["TerminationWaitTimeInMinutes"],
        deregistration=max(_draining(one) for one in targets),
    )


def shift_of(config: str) -> int:
    """Return the seconds in which one of CodeDeploy's ways shifts the traffic, or raise `ValueError`."""
    if config.endswith("ECSAllAtOnce"):
        return 0
    if found := CANARY.search(config):
        return 60 * int(found[1])
    if found := LINEAR.search(config):
        share, minutes = int(found[1]), int(found[2])
        # The first share goes at once.
        return 60 * minutes * (-(-100 // share) - 1)
    raise ValueError(f"{config} is none of CodeDeploy's own ways to shift")


def _draining(target: dict[str, Any]) -> int:
    attributes = {one["Key"]: one["Value"] for one in target["TargetGroupAttributes"]}
    return int(attributes["deregistration_delay.timeout_seconds"])


def waits() -> Table:
    """Return what the environments of cdk.json wait for."""
    table = Table("environment", title="What a release waits for on AWS, beside builds and starts")
    for column in COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for name, found in _environments():
        table.add_row(name, *(said(getattr(found, column)) for column in COLUMNS))
    return table


def said(seconds: int) -> str:
    """Return minutes and seconds to be read."""
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes))


def _environments() -> Iterator[tuple[str, Waits]]:
    context = defaults()
    for name in context[ENVIRONMENTS]:
        with tempfile.TemporaryDirectory() as folder:
            synthesize({**context, "environmentSuffix": name}, Path(folder))
            yield name, waits_of(Path(folder))
