"""The waiting times and the costs of a release on AWS in each environment, read from the templates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Figure
from infrastructure.config.settings import Config
from tools.assembly import Assembly
from tools.cost import count_units, monthly, per_release
from tools.synthesis import environment_contexts, synthesized

TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
DEPLOYMENT_GROUP = "AWS::CodeDeploy::DeploymentGroup"
# The names of CodeDeploy's predefined configurations contain their minutes.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
CANARY = re.compile(r"ECSCanary\d+Percent(\d+)Minutes$")
LINEAR = re.compile(r"ECSLinear(\d+)PercentEvery(\d+)Minutes$")


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


# The same of others, read in their files. A target group of which they say nothing has ELB's defaults: five
# health checks, 30 s apart, and a deregistration delay of 300 s.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
OTHERS = {
    # https://github.com/aws-containers/ecs-workshop-blue-green-deployments, 96a743949723: the defaults of
    # bin/pipeline-stack.ts (Linear10PercentEvery1Minutes, 10 minutes), lib/ecs/service.ts (60 s).
    "ecs-workshop-blue-green-deployments": Waits(
        health_checks=300, bake=0, shift=540, termination=600, deregistration=300
    ),
    # https://github.com/cdklabs/cdk-ecs-codedeploy, fc47a4e82ad0: the template of its integration test
    # application-load-balanced-codedeployed-fargate-service (AllAtOnce, 10 minutes).
    "cdk-ecs-codedeploy": Waits(health_checks=150, bake=0, shift=0, termination=600, deregistration=300),
    # https://github.com/aws/copilot-cli, 4c858e718bc8: a rolling update of a load balanced web service, so
    # no old tasks to return to; internal/pkg/manifest/lb_web_svc.go (a deregistration delay of 60 s).
    "Copilot": Waits(health_checks=150, bake=0, shift=0, termination=0, deregistration=60),
}


def waits() -> Iterator[Figure]:
    """Yield the waiting times and costs of the environments of cdk.json, and the waiting times of others."""
    for name, context in environment_contexts().items():
        assembly, config = synthesized(context), Config.from_context(context)
        yield from _figures(name, waits_of(assembly))
        yield Figure(f"{name}: cost of a release", sum(line.usd for line in per_release(config)), "USD")
        cost = sum(line.usd for line in monthly(config, count_units(assembly)))
        yield Figure(f"{name}: cost of a month", cost, "USD")
    for name, found in OTHERS.items():
        yield from _figures(name, found)


def _figures(name: str, found: Waits) -> Iterator[Figure]:
    yield Figure(f"{name}: waits until all traffic", found.to_all_traffic, "s")
    yield Figure(f"{name}: waits until the deployment has ended", found.total, "s")
