"""Lifecycle hooks: a Lambda function decides whether a deployment continues."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.services.codedeploy import waiter
from unit_tests.local_aws.services.codedeploy import fakes
from unit_tests.local_aws.services.codedeploy.fakes import (
    APPSPEC,
    World,
    refusal,
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with fakes.running(tmp_path, monkeypatch) as made:
        yield made


def with_hook(event: str) -> str:
    return f"{APPSPEC}\nHooks:\n  - {event}: validate\n"


@pytest.mark.parametrize(("status", "ends"), [("Succeeded", "Succeeded"), ("Failed", "Failed")])
def test_a_hook_decides_whether_traffic_shifts(world: World, status: str, ends: str) -> None:
    asked: list[dict[str, Any]] = []

    def function(payload: bytes) -> None:
        asked.append(json.loads(payload))
        world.call(
            "PutLifecycleEventHookExecutionStatus",
            deploymentId=asked[0]["DeploymentId"],
            lifecycleEventHookExecutionId=asked[0]["LifecycleEventHookExecutionId"],
            status=status,
        )

    world.function.function = function
    deployment = world.deploy(with_hook("AfterAllowTestTraffic"))
    info = world.wait(deployment, "Succeeded", "Failed")
    assert info["status"] == ends
    assert world.lifecycle(deployment)["AfterAllowTestTraffic"] == status
    if ends == "Failed":
        assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
        world.wait(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
        assert set(world.elbv2.production()) == {0}


def test_a_hook_that_does_not_report_fails_the_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiter, "LEAST_REAL_SECONDS", 0.2)
    monkeypatch.setattr(waiter, "HOUR", 1)
    world.function.function = lambda _payload: None
    info = world.wait(world.deploy(with_hook("BeforeInstall")), "Failed")
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"


def test_a_hook_whose_function_is_missing_fails_the_deployment(world: World) -> None:
    info = world.wait(world.deploy(with_hook("BeforeAllowTraffic")), "Failed")
    assert info["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"


def test_a_hook_whose_function_is_inactive_fails_the_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda cannot invoke a function that was idle for 14 days (pitfall N7)."""

    def invoke(**_: object) -> None:
        raise refusal("ResourceNotReadyException", "The function is inactive", "Invoke")

    monkeypatch.setattr(world.function, "invoke", invoke)
    info = world.wait(world.deploy(with_hook("BeforeAllowTraffic")), "Failed")
    assert info["errorInformation"] == {
        "code": "HOOK_EXECUTION_FAILURE",
        "message": "The validation hook could not be invoked: "
        "The function is inactive (ResourceNotReadyException)",
    }
