"""A deployment that was interrupted can be destroyed, and its suffix can be used again.

The tests share one suffix and run in file order.
"""

import os
import signal

import pytest

from harness.scenario import Scenario
from integration_tests.support.waits import wait_for_stack
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]


def interrupt_deploy(scenario: Scenario, nested: str, number: signal.Signals) -> str:
    """Send `cdk deploy` and its children a signal once a nested stack has begun; return the root's status."""
    deploying = scenario.environment.begin_deploy()
    try:
        wait_for_stack(scenario, nested=nested, deploying=deploying)
    finally:
        os.killpg(deploying.pid, number)
        deploying.wait(60)
        # The next CLI rejects its output folder while a process of this one is alive.
        ended, deadline = lambda: check_ended(deploying.pid), scenario.cloud.minutes(1, own=1)
        wait_for("the end of cdk deploy", ended, deadline=deadline, interval=0.1)
    status, _ = scenario.environment.begun()
    scenario.progress.step(f"cdk deploy got {number.name}, the stack is {status}")
    return status


def check_ended(group: int) -> None:
    """Raise `NotYetError` while a process group has processes."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return
    raise NotYetError(f"process group {group} still exists")


@pytest.mark.parametrize(
    ("nested", "number"),
    [("Network", signal.SIGINT), ("Compute", signal.SIGKILL), ("Pipeline", signal.SIGKILL)],
    ids=["SIGINT in Network", "SIGKILL in Compute", "SIGKILL in Pipeline"],
)
@pytest.mark.destroys
def test_an_interrupted_deploy_can_be_destroyed(
    scenario: Scenario, nested: str, number: signal.Signals
) -> None:
    status = interrupt_deploy(scenario, nested, number)
    assert status in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"), "CloudFormation continues by itself"
    scenario.destroy()


def test_the_same_suffix_is_deployed_again(scenario: Scenario) -> None:
    assert scenario.deploy()
    scenario.wait_for_seed()


@pytest.mark.destroys
def test_the_second_deployment_is_destroyed_without_leftovers(scenario: Scenario) -> None:
    scenario.destroy()
