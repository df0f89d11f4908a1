"""Waits on the state of an environment that several tests share."""

import subprocess
from typing import Any

from harness.scenario import RELEASE_MINUTES, RELEASE_WORK_MINUTES, Scenario
from operations.waiting import NotYetError, wait_for

# Some states last a fraction of a second on local_aws.
SHORT_INTERVAL = 0.05


def service_of(scenario: Scenario) -> dict[str, Any]:
    """Return the environment's service, as DescribeServices returns it."""
    outputs = scenario.outputs
    found = scenario.cloud.client("ecs").describe_services(
        cluster=outputs.cluster_name, services=[outputs.service_name]
    )
    (service,) = found["services"]
    return dict(service)


def check_steady(scenario: Scenario) -> None:
    """Raise `NotYetError` unless the service has one task set, with all its tasks running."""
    states = [(one["status"], one["stabilityStatus"]) for one in service_of(scenario)["taskSets"]]
    if states != [("PRIMARY", "STEADY_STATE")]:
        raise NotYetError(f"the task sets are {states}")


def wait_until_steady(scenario: Scenario) -> None:
    """Wait until one task set is left with all its tasks: after a rollback, tasks may still start."""
    deadline = scenario.cloud.minutes(RELEASE_MINUTES, own=RELEASE_WORK_MINUTES)
    wait_for("a steady service", lambda: check_steady(scenario), deadline=deadline)


def wait_for_stack(
    scenario: Scenario,
    *,
    status: str = "",
    nested: str = "",
    deploying: "subprocess.Popen[bytes] | None" = None,
) -> None:
    """Wait until the root stack has `status`, and has begun a nested stack whose name contains `nested`.

    Raises `AssertionError` if the CLI process `deploying` ends before.
    """

    def look() -> None:
        if deploying is not None and deploying.poll() is not None:
            raise AssertionError(f"cdk deploy ended by itself, see {scenario.environment.log}")
        found, begun = scenario.environment.begun()
        if status and found != status:
            raise NotYetError(f"the stack is {found}")
        if not any(nested in name for name in begun):
            raise NotYetError(f"no {nested} among {begun}")

    wait_for(
        f"{nested or status} of {scenario.environment.suffix}",
        look,
        deadline=scenario.cloud.minutes(RELEASE_MINUTES),
        interval=scenario.cloud.interval(SHORT_INTERVAL),
    )
