"""A deploy that was cut off can be destroyed, and its suffix used again.

The tests share one suffix and run in the order in which they stand.
"""

import os
import signal

import pytest

from harness.scenario import Scenario
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# AWS's minutes until a stack has come that far.
MINUTES = 20.0


def interrupt(scenario: Scenario, part: str, number: signal.Signals) -> str:
    """Send `cdk deploy` and its children a signal once a nested stack is begun; return the root's state."""
    deploying = scenario.environment.begin_deploy()

    def look() -> None:
        if deploying.poll() is not None:
            raise AssertionError(f"cdk deploy ended by itself, see {scenario.environment.log}")
        _, seen = scenario.environment.begun()
        if not any(part in name for name in seen):
            raise NotYetError(f"there is no {part} among {seen}")

    try:
        wait_for(
            f"the {part} of {scenario.environment.suffix}",
            look,
            deadline=scenario.cloud.minutes(MINUTES),
            interval=0.05,
        )
    finally:
        os.killpg(deploying.pid, number)
        deploying.wait(60)
        # The next CLI refuses its folder while a process that read it is about.
        wait_for("the end of cdk deploy", lambda: _gone(deploying.pid), deadline=60, interval=0.1)
    state, _ = scenario.environment.begun()
    scenario.progress.step(f"cdk deploy got {number.name}, the stack is {state}")
    return state


def _gone(group: int) -> None:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return
    raise NotYetError(f"process group {group} is still there")


@pytest.mark.parametrize(
    ("part", "number"),
    [("Network", signal.SIGINT), ("Compute", signal.SIGKILL), ("Pipeline", signal.SIGKILL)],
    ids=["Ctrl-C in the network", "kill -9 in the compute", "kill -9 in the pipeline"],
)
def test_a_deploy_that_is_cut_off_can_be_destroyed(
    scenario: Scenario, part: str, number: signal.Signals
) -> None:
    state = interrupt(scenario, part, number)
    assert state in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"), "CloudFormation goes on by itself"
    scenario.destroy()


def test_the_same_suffix_is_deployed_again(scenario: Scenario) -> None:
    assert scenario.deploy()
    scenario.wait_for_seed()


def test_and_destroyed_again_without_leaving_anything(scenario: Scenario) -> None:
    scenario.destroy()
