"""The waits that several scenarios share."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.scenario import Scenario
from integration_tests.support.waits import check_steady, wait_for_stack
from operations.waiting import NotYetError, TimedOutError
from unit_tests.harness.recorded_cloud import RecordedCloud

STEADY = {"status": "PRIMARY", "stabilityStatus": "STEADY_STATE"}
STARTING = {"status": "PRIMARY", "stabilityStatus": "STABILIZING"}
GREEN = {"status": "ACTIVE", "stabilityStatus": "STEADY_STATE"}


class ShortCloud(RecordedCloud):
    """A recorded cloud with short deadlines."""

    def minutes(self, *_: float, **__: float) -> float:
        return 0.2


def scenario(task_sets: list[dict[str, str]], begun: tuple[str, set[str]] = ("", set())) -> Scenario:
    responses: dict[str, Any] = {"describe_services": {"services": [{"taskSets": task_sets}]}}
    outputs = SimpleNamespace(cluster_name="cluster", service_name="service")
    environment = SimpleNamespace(suffix="it1", log=Path("cdk.log"), begun=lambda: begun)
    return cast(
        Scenario, SimpleNamespace(cloud=ShortCloud(responses), outputs=outputs, environment=environment)
    )


@pytest.mark.parametrize("task_sets", [[], [STARTING], [STEADY, GREEN]], ids=["none", "starting", "two"])
def test_a_service_is_not_steady_without_exactly_one_steady_task_set(task_sets: list[dict[str, str]]) -> None:
    with pytest.raises(NotYetError, match="the task sets are"):
        check_steady(scenario(task_sets))
    check_steady(scenario([STEADY]))


def test_a_stack_is_awaited_by_status_and_nested_stack() -> None:
    creating = scenario([], ("CREATE_IN_PROGRESS", {"stack-it1", "NetworkNestedStack"}))
    wait_for_stack(creating, status="CREATE_IN_PROGRESS", nested="Network")
    with pytest.raises(TimedOutError, match="no Pipeline among"):
        wait_for_stack(creating, nested="Pipeline")
    with pytest.raises(TimedOutError, match="the stack is CREATE_IN_PROGRESS"):
        wait_for_stack(creating, status="DELETE_IN_PROGRESS")


def test_a_cli_that_ends_by_itself_ends_the_wait() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with pytest.raises(AssertionError, match=r"cdk deploy ended by itself, see cdk\.log"):
            wait_for_stack(scenario([]), nested="Network", deploying=ended)
