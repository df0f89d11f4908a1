"""Pipelines, builds and deployments after a kill of local_aws: each resumes, or reports the interruption."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.persistence import snapshots
from local_aws.services.codedeploy.errors import DeploymentEndedError
from local_aws.services.codedeploy.service import CodeDeploy
from local_aws.services.codepipeline.service import CodePipeline
from unit_tests.local_aws.persistence.restarts import restored
from unit_tests.local_aws.services.codedeploy import fakes as codedeploy_fakes
from unit_tests.local_aws.services.codedeploy.fakes import BLUE, GREEN, PRODUCTION, World, canary, slow
from unit_tests.local_aws.services.codepipeline import fakes as codepipeline_fakes
from unit_tests.local_aws.services.codepipeline.declarations import action, build, deploy, source, stage
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until

TOPIC = "arn:aws:sns:us-east-1:123456789012:approvals"
APPROVAL = action("Approval", "Manual", "Approve", configuration={"NotificationArn": TOPIC})


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    with codepipeline_fakes.running(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with codedeploy_fakes.running(tmp_path, monkeypatch) as made:
        yield made


def restart(cloud: FakeCloud) -> None:
    snapshot = snapshots.dump(cloud.pipelines)
    cloud.pipelines.stop()
    cloud.pipelines = restored(CodePipeline(cloud, archive=cloud.pipelines.engine.archive), snapshot)
    cloud.pipelines.resume()


def restart_deployments(world: World) -> None:
    snapshot = snapshots.dump(world.codedeploy)
    world.codedeploy.stop()
    world.codedeploy = restored(CodeDeploy(world.context), snapshot)
    world.codedeploy.resume()


def begun(cloud: FakeCloud, where: str) -> bool:
    found = cloud.action(where, where)
    return found.get("status") == "InProgress" and "externalExecutionId" in found


def test_a_running_build_is_followed_and_not_started_twice(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    execution = cloud.create()
    until(lambda: begun(cloud, "Build"))
    restart(cloud)
    cloud.codebuild.released.set()
    assert cloud.ended(execution) == "Succeeded"
    assert len(cloud.codebuild.started) == 1
    assert cloud.events("Action", execution).count("Build:STARTED") == 1


def test_an_interrupted_build_fails_its_execution_which_can_be_retried(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    execution = cloud.create()
    until(lambda: begun(cloud, "Build"))
    restart(cloud)
    cloud.codebuild.status = "FAULT"
    cloud.codebuild.released.set()
    assert cloud.ended(execution) == "Failed"
    cloud.codebuild.status = "SUCCEEDED"
    retry = {"pipelineName": "pipeline-dev", "stageName": "Build", "retryMode": "FAILED_ACTIONS"}
    cloud.call("RetryStageExecution", pipelineExecutionId=execution, **retry)
    assert cloud.ended(execution) == "Succeeded"


def test_a_deployment_is_followed_and_not_created_twice(cloud: FakeCloud) -> None:
    cloud.codedeploy.released.clear()
    execution = cloud.create()
    until(lambda: begun(cloud, "Deploy"))
    second = cloud.start()
    until(lambda: cloud.action("Build", "Build").get("status") == "Succeeded")
    restart(cloud)
    cloud.codedeploy.released.set()
    assert cloud.ended(execution) == "Succeeded"
    assert cloud.ended(second) == "Succeeded"
    assert len(cloud.codedeploy.created) == 2


def test_a_deployment_that_was_created_but_not_recorded_is_found(cloud: FakeCloud) -> None:
    cloud.codedeploy.released.clear()
    execution = cloud.create()
    until(lambda: begun(cloud, "Deploy"))
    cloud.pipelines.pipelines["pipeline-dev"].executions[0].actions[-1].external_id = None
    restart(cloud)
    until(lambda: begun(cloud, "Deploy"))
    cloud.codedeploy.released.set()
    assert cloud.ended(execution) == "Succeeded"
    assert len(cloud.codedeploy.created) == 1


def test_an_execution_before_a_disabled_transition_continues_to_wait(cloud: FakeCloud) -> None:
    hold = {"pipelineName": "pipeline-dev", "stageName": "Deploy", "transitionType": "Inbound"}
    cloud.codebuild.released.clear()
    execution = cloud.create()
    cloud.call("DisableStageTransition", **hold, reason="a release freeze")
    cloud.codebuild.released.set()
    until(lambda: cloud.action("Build", "Build").get("status") == "Succeeded")
    restart(cloud)
    assert cloud.status(execution) == "InProgress"
    cloud.call("EnableStageTransition", **hold)
    assert cloud.ended(execution) == "Succeeded"


def test_an_approval_keeps_its_token(cloud: FakeCloud) -> None:
    stages = [stage("Source", source()), stage("Build", build()), stage("Approval", APPROVAL)]
    execution = cloud.create(stages=[*stages, stage("Deploy", deploy())])
    until(lambda: len(cloud.sns.published) == 1)
    token = cloud.action("Approval", "Approve")["token"]
    restart(cloud)
    action = {"pipelineName": "pipeline-dev", "stageName": "Approval", "actionName": "Approve"}
    result = {"status": "Approved", "summary": "fine"}
    cloud.call("PutApprovalResult", **action, token=token, result=result)
    assert cloud.ended(execution) == "Succeeded"
    assert len(cloud.sns.published) == 1, "the approval is not requested twice"


def test_an_event_starts_one_execution(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    cloud.pipelines.deliveries["token"] = (
        "arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev",
        {"RoleArn": "arn:aws:iam::123456789012:role/start-dev"},
        "arn:aws:events:us-east-1:123456789012:rule/push-dev",
    )
    restart(cloud)
    until(lambda: len(cloud.summaries()) == 2)
    until(lambda: cloud.pipelines.deliveries == {})
    assert cloud.summaries()[0]["trigger"]["triggerType"] == "CloudWatchEvent"
    restart(cloud)
    assert len(cloud.summaries()) == 2


def test_an_interrupted_traffic_shift_fails_and_is_rolled_back(world: World) -> None:
    canary(world)
    deployment = world.deploy()
    world.wait_until(lambda: world.elbv2.production() == [0, 10])
    restart_deployments(world)
    info = world.wait(deployment, "Failed")
    assert info["errorInformation"]["code"] == "INTERNAL_ERROR"
    back = info["rollbackInfo"]["rollbackDeploymentId"]
    assert world.wait(back, "Succeeded")["creator"] == "codeDeployRollback"
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/1"]
    assert world.lifecycle(deployment)["AllowTraffic"] == "Failed"


def test_an_interrupted_rollback_is_repeated(world: World) -> None:
    canary(world)
    deployment = world.deploy()
    world.wait_until(lambda: world.elbv2.production() == [0, 10])
    snapshot = snapshots.dump(world.codedeploy)
    world.codedeploy.stop()
    # Killed between the end of the one and the beginning of the other: both are known, neither is over.
    half = restored(CodeDeploy(world.context), snapshot)
    known = half.deployments.find(deployment)
    back = half.deployments._create_rollback(known, DeploymentEndedError("INTERNAL_ERROR", "cut off"))
    assert back is not None
    world.codedeploy = restored(CodeDeploy(world.context), snapshots.dump(half))
    world.codedeploy.resume()
    assert world.wait(deployment, "Failed")["rollbackInfo"]["rollbackDeploymentId"] == back.id
    world.wait(back.id, "Succeeded")
    assert world.elbv2.weights[PRODUCTION] == {BLUE: 100, GREEN: 0}
    assert len(world.codedeploy.deployments.by_id) == 2


def test_with_all_traffic_on_green_blue_is_terminated_and_the_deployment_succeeds(world: World) -> None:
    slow(world)
    deployment = world.deploy()
    world.wait_until(lambda: world.info(deployment)["instanceTerminationWaitTimeStarted"])
    restart_deployments(world)
    assert world.info(deployment)["status"] == "InProgress"
    world.call("ContinueDeployment", deploymentId=deployment, deploymentWaitType="TERMINATION_WAIT")
    world.wait(deployment, "Succeeded")
    assert [item["id"] for item in world.ecs.sets] == ["ecs-svc/2"]


def test_ended_work_does_not_change(world: World) -> None:
    deployment = world.deploy()
    before = world.wait(deployment, "Succeeded")
    restart_deployments(world)
    assert world.info(deployment) == before
