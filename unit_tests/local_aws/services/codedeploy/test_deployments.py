"""Deployments from the first lifecycle event to the last, and each way in which they end early."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codedeploy import waiter
from unit_tests.local_aws.services.codedeploy import fakes
from unit_tests.local_aws.services.codedeploy.fakes import (
    APPSPEC,
    BLUE,
    GREEN,
    PRODUCTION,
    TASK_DEFINITION,
    TEST,
    World,
    canary,
    refusal,
    slow,
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with fakes.running(tmp_path, monkeypatch) as made:
        yield made


def states(world: World, deployment: str) -> list[str]:
    return [detail["state"] for _, detail in world.events if detail["deploymentId"] == deployment]


def test_all_at_once_creates_green_shifts_traffic_and_deletes_blue_before_it_succeeds(world: World) -> None:
    deployment = world.deploy()
    info = world.wait(deployment, "Succeeded")
    assert world.elbv2.weights[PRODUCTION] == world.elbv2.weights[TEST] == {GREEN: 100, BLUE: 0}
    assert [name for name, _ in world.ecs.calls] == ["create", "primary", "delete"]
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/2"]
    assert set(world.lifecycle(deployment).values()) == {"Succeeded"}
    assert states(world, deployment) == ["START", "SUCCESS"]
    assert info["deploymentOverview"]["Succeeded"] == 1


def test_a_deployment_describes_no_content_and_creates_its_task_set_in_the_services_network(
    world: World,
) -> None:
    deployment = world.deploy()
    info = world.wait(deployment, "Succeeded")
    assert "content" not in info["revision"]["appSpecContent"]
    assert "errorInformation" not in info
    created = world.ecs.calls[0][1]
    assert (created["externalId"], created["taskDefinition"]) == (deployment, TASK_DEFINITION)
    assert created["networkConfiguration"] == {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


def test_the_next_deployment_uses_the_other_target_group(world: World) -> None:
    world.wait(world.deploy(), "Succeeded")
    info = world.wait(world.deploy(), "Succeeded")
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}
    assert info["previousRevision"]["revisionType"] == "AppSpecContent"


def test_linear_shifts_traffic_in_equal_steps(world: World) -> None:
    world.wait(
        world.deploy(deploymentConfigName="CodeDeployDefault.ECSLinear10PercentEvery1Minutes"), "Succeeded"
    )
    assert world.elbv2.production() == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_canary_waits_by_the_clock_at_its_percentage(world: World) -> None:
    started = time.monotonic()
    world.wait(
        world.deploy(deploymentConfigName="CodeDeployDefault.ECSCanary10Percent15Minutes"), "Succeeded"
    )
    assert world.elbv2.production() == [0, 10, 100]
    assert time.monotonic() - started >= 900 * world.context.clock.time_scale


def test_a_group_refuses_a_second_deployment_while_one_is_active(world: World) -> None:
    slow(world)
    first = world.deploy()
    text = f"The Deployment Group 'group' already has an active Deployment '{first}'"
    with pytest.raises(AwsError, match=text) as refused:
        world.deploy()
    assert refused.value.code == "DeploymentLimitExceededException"


def test_a_listener_that_does_not_point_to_the_primary_task_set_fails_as_on_aws(
    world: World,
) -> None:
    """Pitfall C5, after CloudFormation rewrote the listener."""
    world.elbv2.weights[PRODUCTION] = {GREEN: 100}
    info = world.wait(world.deploy(), "Failed")
    assert info["errorInformation"]["code"] == "ELASTIC_LOAD_BALANCING_INVALID"
    assert "Primary taskset target group must be behind listener" in info["errorInformation"]["message"]
    assert world.ecs.calls == []


def test_a_container_that_is_not_in_the_task_definition_fails_as_an_invalid_revision(world: World) -> None:
    info = world.wait(world.deploy(APPSPEC.replace("ContainerName: app", "ContainerName: web")), "Failed")
    assert info["errorInformation"]["code"] == "INVALID_REVISION"
    assert "rollbackInfo" not in info


def test_an_error_of_ecs_fails_the_deployment(world: World) -> None:
    world.ecs.refuse = refusal("InvalidParameterException", "no such subnet", "CreateTaskSet")
    info = world.wait(world.deploy(), "Failed")
    assert info["errorInformation"]["code"] == "ECS_UPDATE_ERROR"
    assert "no such subnet" in info["errorInformation"]["message"]


def test_a_green_that_never_becomes_healthy_times_out_and_is_rolled_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiter, "LEAST_REAL_SECONDS", 0.3)
    monkeypatch.setattr(waiter, "HOUR", 1)
    world.ecs.healthy = False
    deployment = world.deploy()
    info = world.wait(deployment, "Failed")
    assert info["errorInformation"]["code"] == "TIMEOUT"
    assert "replacement task set to become healthy" in info["errorInformation"]["message"]
    assert world.lifecycle(deployment)["Install"] == "Failed"
    assert world.lifecycle(deployment)["AllowTraffic"] == "Skipped"
    back = world.wait(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
    assert back["creator"] == "codeDeployRollback"
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/1"]
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}
    assert states(world, deployment) == ["START", "FAILURE"]


def test_a_steady_task_set_whose_targets_are_not_healthy_gets_no_traffic(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CodeDeploy waits an hour for its word (pitfall N6)."""
    monkeypatch.setattr(waiter, "LEAST_REAL_SECONDS", 0.2)
    monkeypatch.setattr(waiter, "HOUR", 1)
    world.elbv2.health = ["healthy", "unhealthy"]
    info = world.wait(world.deploy(), "Failed")
    assert info["errorInformation"]["code"] == "TIMEOUT"
    world.wait(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
    assert set(world.elbv2.production()) == {0}


def test_without_auto_rollback_a_failure_leaves_green_and_the_next_deployment_deletes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiter, "LEAST_REAL_SECONDS", 0.2)
    monkeypatch.setattr(waiter, "HOUR", 1)
    world.ecs.healthy = False
    info = world.wait(world.deploy(autoRollbackConfiguration={"enabled": False}), "Failed")
    assert "rollbackInfo" not in info
    assert len(world.ecs.sets) == 2
    world.ecs.healthy = True
    world.wait(world.deploy(), "Succeeded")
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/3"]


def test_stopping_in_the_canary_restores_traffic_and_then_deletes_green(world: World) -> None:
    canary(world)
    deployment = world.deploy()
    world.wait_until(lambda: world.elbv2.weights[PRODUCTION].get(GREEN) == 10)
    answer = world.call("StopDeployment", deploymentId=deployment)
    assert answer["status"] == "Pending"
    info = world.wait(deployment, "Stopped")
    assert info["errorInformation"]["code"] == "MANUAL_STOP"
    world.wait(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}
    assert world.elbv2.weights[TEST] == {BLUE: 0, GREEN: 100}
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/1"]
    assert world.elbv2.production()[-1] == 0


def test_stopping_in_the_termination_wait_makes_blue_primary_again(world: World) -> None:
    slow(world)
    deployment = world.deploy()
    world.wait_until(lambda: bool(world.info(deployment)["instanceTerminationWaitTimeStarted"]))
    assert world.ecs.primary() == "ecs-svc/2"
    world.call("StopDeployment", deploymentId=deployment, autoRollbackEnabled=True)
    world.wait(world.wait(deployment, "Stopped")["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
    assert world.ecs.primary() == "ecs-svc/1"
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}


def test_stopping_without_rollback_leaves_traffic_and_task_sets_as_they_are(world: World) -> None:
    canary(world)
    deployment = world.deploy()
    world.wait_until(lambda: world.elbv2.weights[PRODUCTION].get(GREEN) == 10)
    world.call("StopDeployment", deploymentId=deployment, autoRollbackEnabled=False)
    assert "rollbackInfo" not in world.wait(deployment, "Stopped")
    assert world.elbv2.weights[PRODUCTION] == {GREEN: 10, BLUE: 90}
    with pytest.raises(AwsError, match="terminal state"):
        world.call("StopDeployment", deploymentId=deployment)


def test_an_alarm_during_the_canary_stops_and_rolls_back(world: World) -> None:
    canary(world)
    alarms = {"enabled": True, "alarms": [{"name": "too-many-5xx"}]}
    deployment = world.deploy(overrideAlarmConfiguration=alarms)
    world.wait_until(lambda: world.elbv2.weights[PRODUCTION].get(GREEN) == 10)
    world.cloudwatch.active = ["too-many-5xx"]
    info = world.wait(deployment, "Stopped")
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert "too-many-5xx" in info["errorInformation"]["message"]
    world.wait(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}


def test_an_alarm_that_is_already_in_alarm_stops_the_deployment_before_green(world: World) -> None:
    """Pitfall N4."""
    world.cloudwatch.active = ["a"]
    alarms = {"enabled": True, "alarms": [{"name": "a"}]}
    info = world.wait(world.deploy(overrideAlarmConfiguration=alarms), "Stopped")
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert world.ecs.calls == []


def test_a_deployment_waits_ready_until_it_is_continued(world: World) -> None:
    ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 2000}
    world.call(
        "UpdateDeploymentGroup",
        applicationName="app",
        currentDeploymentGroupName="group",
        blueGreenDeploymentConfiguration={"deploymentReadyOption": ready},
    )
    deployment = world.deploy()
    world.wait(deployment, "Ready")
    assert set(world.elbv2.production()) == {0}
    assert world.elbv2.weights[TEST][GREEN] == 100
    world.call("ContinueDeployment", deploymentId=deployment, deploymentWaitType="READY_WAIT")
    world.wait(deployment, "Succeeded")
    assert states(world, deployment) == ["START", "READY", "SUCCESS"]


def test_the_termination_wait_can_be_skipped(world: World) -> None:
    slow(world)
    deployment = world.deploy()
    world.wait_until(lambda: bool(world.info(deployment)["instanceTerminationWaitTimeStarted"]))
    assert world.info(deployment)["status"] == "InProgress"
    world.call("ContinueDeployment", deploymentId=deployment, deploymentWaitType="TERMINATION_WAIT")
    world.wait(deployment, "Succeeded")


def test_the_target_shows_both_task_sets_with_their_share_of_traffic(world: World) -> None:
    canary(world)
    deployment = world.deploy()

    def shares() -> dict[str, float]:
        target = world.call("BatchGetDeploymentTargets", deploymentId=deployment, targetIds=["cluster:svc"])[
            "deploymentTargets"
        ][0]["ecsTarget"]
        return {item["taskSetLabel"]: item["trafficWeight"] for item in target["taskSetsInfo"]}

    world.wait_until(lambda: shares() == {"Blue": 90.0, "Green": 10.0})


def test_stopping_the_server_ends_the_threads_and_not_the_deployment(world: World) -> None:
    slow(world)
    deployment = world.deploy()
    world.wait_until(lambda: bool(world.info(deployment)["instanceTerminationWaitTimeStarted"]))
    world.codedeploy.stop()
    time.sleep(0.1)
    assert world.info(deployment)["status"] == "InProgress"
    assert len(world.ecs.sets) == 2
