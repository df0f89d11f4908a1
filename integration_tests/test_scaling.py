"""A service that scales: out under load, with a release in the middle that drops nothing, and back in.

The tests share one environment and run in file order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.scenario import Scenario
from integration_tests.support.scenario_fixtures import running_scenario
from operations.names import Names
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

FEWEST, MOST = 1, 3
# Requests a second: more than the target of one task and of two, less than that of three.
RATE = 40.0
WANTED_TASKS = 2.8
# AWS's minutes in which an alarm sees the load, and in which one sees its end.
OUT_MINUTES, IN_MINUTES = 20, 45


@dataclass
class Scaling:
    """The environment, and its services as the catalogue has them."""

    scenario: Scenario
    services: str

    @property
    def names(self) -> Names:
        """The names of the environment."""
        return Names(self.scenario.environment.suffix)

    def service(self) -> Any:
        """Describe the service."""
        ecs = self.scenario.cloud.client("ecs")
        return ecs.describe_services(cluster=self.names.cluster, services=[self.names.service])["services"][0]

    def healthy(self) -> int:
        """Count the tasks that answer requests, of either colour."""
        elbv2 = self.scenario.cloud.client("elbv2")
        found = 0
        for colour in ("blue", "green"):
            (group,) = elbv2.describe_target_groups(Names=[f"target-group-{colour}-{self.names.suffix}"])[
                "TargetGroups"
            ]
            targets = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            states = [one["TargetHealth"]["State"] for one in targets["TargetHealthDescriptions"]]
            found += states.count("healthy")
        return found

    def wait_for_tasks(self, count: int, minutes: float) -> None:
        """Wait until exactly so many tasks answer."""

        def look() -> None:
            service = self.service()
            found = self.healthy(), service["desiredCount"]
            if found != (count, count):
                raise NotYetError(f"{found[0]} tasks answer, {found[1]} are desired")

        wait_for(f"{count} tasks", look, deadline=self.scenario.cloud.minutes(minutes, own=2))

    def wait_until(self, *, suspended: bool) -> None:
        """Wait until the scaling is suspended in both directions, or in none."""
        scaling = self.scenario.cloud.client("application-autoscaling")

        def look() -> None:
            (target,) = scaling.describe_scalable_targets(
                ServiceNamespace="ecs", ResourceIds=[f"service/{self.names.cluster}/{self.names.service}"]
            )["ScalableTargets"]
            if set(target["SuspendedState"].values()) != {suspended}:
                raise NotYetError(f"{target['SuspendedState']}")

        what = "the scaling to be suspended" if suspended else "the scaling to be resumed"
        wait_for(what, look, deadline=self.scenario.cloud.minutes(10, own=2), interval=0.2)

    def activities(self) -> list[Any]:
        """Describe what the scaling did, the newest first."""
        found: list[Any] = self.scenario.cloud.client("application-autoscaling").describe_scaling_activities(
            ServiceNamespace="ecs", ResourceId=f"service/{self.names.cluster}/{self.names.service}"
        )["ScalingActivities"]
        return found


@pytest.fixture(scope="module")
def scaling(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scaling]:
    """A service whose tasks get as many requests a minute as `RATE` means for this cloud."""
    target = round(RATE * 60 * cloud.time_scale / WANTED_TASKS)
    entry = {"scaling": {"min": FEWEST, "max": MOST, "requestsPerTarget": target}}
    services = json.dumps({"sample-service": entry})
    with running_scenario(cloud, request, context={"services": services}) as scenario:
        yield Scaling(scenario, services)


def test_without_requests_it_scales_in_to_the_minimum(scaling: Scaling) -> None:
    """The first deployment has `desiredCount` tasks; the first release suspends and resumes the scaling."""
    scaling.scenario.deploy()
    scaling.scenario.wait_for_seed()
    scaling.wait_until(suspended=False)
    scaling.wait_for_tasks(FEWEST, IN_MINUTES)


def test_under_load_it_scales_out_and_a_release_in_the_middle_drops_nothing(scaling: Scaling) -> None:
    """The new version gets the current number of tasks, and nothing scales meanwhile (pitfall C8)."""
    scenario = scaling.scenario
    with scenario.probing(RATE) as prober:
        scaling.wait_for_tasks(MOST, OUT_MINUTES)
        developer = scenario.developer()
        commit = developer.greet("Hello from more tasks")
        developer.push()
        scaling.wait_until(suspended=True)
        assert {one["computedDesiredCount"] for one in scaling.service()["taskSets"]} == {MOST}
        release = scenario.wait_for_release(commit)
        scaling.wait_until(suspended=False)
        figures = scenario.settle(prober, commit)
        scaling.wait_for_tasks(MOST, OUT_MINUTES)
    assert figures.failures == 0, prober.failures[:3]
    deployment = scenario.cloud.client("codedeploy").get_deployment(deploymentId=release.deployment)[
        "deploymentInfo"
    ]
    started, ended = deployment["startTime"], deployment["completeTime"]
    assert not [one for one in scaling.activities() if started < one["StartTime"] < ended]


def test_a_deployment_of_the_stack_leaves_the_number_of_tasks(scaling: Scaling) -> None:
    """The template has the `desiredCount` of the first deployment, which no later one restores."""
    entry = json.loads(scaling.services)
    entry["sample-service"]["scaling"]["max"] = MOST + 1
    with scaling.scenario.probing(RATE):
        scaling.wait_for_tasks(MOST, OUT_MINUTES)
        assert scaling.scenario.deploy(services=json.dumps(entry))
        assert scaling.service()["desiredCount"] in (MOST, MOST + 1)


def test_after_the_load_it_scales_back_in(scaling: Scaling) -> None:
    scaling.wait_for_tasks(FEWEST, IN_MINUTES)
    causes = [one["Cause"] for one in scaling.activities()]
    assert "AlarmLow" in causes[0]
    assert any("AlarmHigh" in cause for cause in causes)


@pytest.mark.destroys
def test_destroy_leaves_no_target_and_no_alarm(scaling: Scaling) -> None:
    scaling.scenario.destroy()
    prefix = f"TargetTracking-service/{scaling.names.cluster}/"
    cloudwatch = scaling.scenario.cloud.client("cloudwatch")
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"] == []
