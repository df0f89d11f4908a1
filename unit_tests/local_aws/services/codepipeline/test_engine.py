"""Executions run through the stages one at a time, stop, are retried, and send events."""

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.declarations import COMMIT, build, declaration, source, stage
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until


def test_creating_a_pipeline_starts_it_and_deploys_the_commit(cloud: FakeCloud) -> None:
    execution = cloud.create()
    assert cloud.ended(execution) == "Succeeded"
    summary = cloud.summaries()[0]
    assert summary["trigger"]["triggerType"] == "CreatePipeline"
    assert summary["sourceRevisions"][0]["revisionId"] == COMMIT
    assert len(cloud.codedeploy.created) == 1


def test_events_report_each_state_in_order(cloud: FakeCloud) -> None:
    execution = cloud.create()
    cloud.ended(execution)
    until(lambda: cloud.events("Pipeline", execution)[-1:] == ["SUCCEEDED"])
    assert cloud.events("Pipeline", execution) == ["STARTED", "SUCCEEDED"]
    states = ["Source:STARTED", "Source:SUCCEEDED", "Build:STARTED", "Build:SUCCEEDED"]
    states += ["Deploy:STARTED", "Deploy:SUCCEEDED"]
    assert cloud.events("Stage", execution) == states
    assert cloud.events("Action", execution) == states


def test_an_event_has_the_shape_of_aws(cloud: FakeCloud) -> None:
    execution = cloud.create()
    cloud.ended(execution)
    until(lambda: "Source:SUCCEEDED" in cloud.events("Action", execution))
    _, resources, detail = next(
        item for item in cloud.sent if item[2]["state"] == "SUCCEEDED" and "action" in item[2]
    )
    assert resources == ["arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev"]
    assert detail["execution-result"]["external-execution-id"] == COMMIT
    assert detail["type"] == {"owner": "AWS", "provider": "CodeCommit", "category": "Source", "version": "1"}
    assert detail["output-artifacts"][0]["s3location"]["key"].startswith("pipeline-dev/SourceOutp/")
    assert (detail["version"], detail["pipeline-execution-attempt"]) == (1.0, 1.0)


def test_a_failed_build_stops_before_deploy(cloud: FakeCloud) -> None:
    cloud.codebuild.status = "FAILED"
    execution = cloud.create()
    assert cloud.ended(execution) == "Failed"
    assert cloud.codedeploy.created == []
    assert cloud.action("Deploy", "Deploy") == {}
    error = cloud.action("Build", "Build")["errorDetails"]
    assert error == {
        "code": "JobFailed",
        "message": "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR,"
        " Message: Error while executing command: pytest",
    }
    until(lambda: cloud.events("Pipeline", execution) == ["STARTED", "FAILED"])


def test_a_waiting_execution_is_superseded_by_a_newer_one(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    first = cloud.create()
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    second = cloud.start()
    until(lambda: _inbound(cloud, "Build") == [second])
    third = cloud.start()
    assert cloud.ended(second) == "Superseded"
    assert _inbound(cloud, "Build") in ([], [third])
    cloud.codebuild.released.set()
    assert (cloud.ended(first), cloud.ended(third)) == ("Succeeded", "Succeeded")
    assert len(cloud.codebuild.started) == 2
    until(lambda: cloud.events("Pipeline", second) == ["STARTED", "SUPERSEDED"])


def test_a_queued_pipeline_supersedes_no_execution(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    first = cloud.create(executionMode="QUEUED")
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    others = [cloud.start(), cloud.start()]
    until(lambda: _inbound(cloud, "Build") == others)
    assert len(cloud.codebuild.started) == 1
    cloud.codebuild.released.set()
    assert [cloud.ended(item) for item in (first, *others)] == ["Succeeded"] * 3


def test_at_most_one_execution_is_in_a_stage(cloud: FakeCloud) -> None:
    cloud.codedeploy.released.clear()
    first = cloud.create()
    until(lambda: cloud.action("Deploy", "Deploy").get("status") == "InProgress")
    second = cloud.start()
    until(lambda: _inbound(cloud, "Deploy") == [second])
    assert len(cloud.codedeploy.created) == 1
    cloud.codedeploy.released.set()
    assert (cloud.ended(first), cloud.ended(second)) == ("Succeeded", "Succeeded")


def test_a_disabled_transition_holds_an_execution_until_it_is_enabled(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    execution = cloud.create()
    transition = {"pipelineName": "pipeline-dev", "stageName": "Deploy", "transitionType": "Inbound"}
    cloud.call("DisableStageTransition", **transition, reason="a release freeze")
    cloud.codebuild.released.set()
    until(lambda: _inbound(cloud, "Deploy") == [execution])
    assert _stage(cloud, "Deploy")["inboundTransitionState"]["disabledReason"] == "a release freeze"
    assert cloud.codedeploy.created == []
    cloud.call("EnableStageTransition", **transition)
    assert cloud.ended(execution) == "Succeeded"


def test_stop_and_wait_lets_the_running_action_end_and_starts_no_other(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    execution = cloud.create()
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    _stop(cloud, execution)
    assert cloud.status(execution) == "Stopping"
    with pytest.raises(AwsError, match="DuplicatedStopRequestException"):
        _stop(cloud, execution)
    cloud.codebuild.released.set()
    assert cloud.ended(execution) == "Stopped"
    assert cloud.action("Build", "Build")["status"] == "Succeeded"
    assert (cloud.codebuild.stopped, cloud.codedeploy.created) == ([], [])
    with pytest.raises(AwsError, match="PipelineExecutionNotStoppableException"):
        _stop(cloud, execution)


def test_stop_and_wait_starts_no_later_action_of_the_same_stage(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    later = {**build(), "name": "Later", "runOrder": 2, "outputArtifacts": [], "namespace": "Later"}
    execution = cloud.create(stages=[stage("Source", source()), stage("Build", build(), later)])
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    _stop(cloud, execution)
    cloud.codebuild.released.set()
    assert cloud.ended(execution) == "Stopped"
    assert len(cloud.codebuild.started) == 1


def test_stop_and_abandon_ends_at_once_and_stops_the_build(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    execution = cloud.create()
    until(lambda: cloud.action("Build", "Build").get("externalExecutionId") is not None)
    _stop(cloud, execution, abandon=True, reason="for an update")
    assert cloud.ended(execution) == "Stopped"
    assert cloud.action("Build", "Build")["status"] == "Abandoned"
    assert cloud.codebuild.stopped == ["build-dev:1"]
    assert cloud.summaries()[0]["stopTrigger"] == {"reason": "for an update"}
    until(lambda: cloud.events("Pipeline", execution) == ["STARTED", "STOPPING", "STOPPED"])
    assert cloud.events("Action", execution)[-1] == "Build:ABANDONED"


def test_an_abandoned_deployment_continues_in_codedeploy_as_on_aws(cloud: FakeCloud) -> None:
    cloud.codedeploy.released.clear()
    execution = cloud.create()
    until(lambda: cloud.action("Deploy", "Deploy").get("externalExecutionId") is not None)
    _stop(cloud, execution, abandon=True)
    assert cloud.ended(execution) == "Stopped"
    assert cloud.codedeploy.stopped == []


def test_a_failed_stage_is_retried_from_its_failed_actions(cloud: FakeCloud) -> None:
    cloud.codebuild.status = "FAILED"
    execution = cloud.create()
    cloud.ended(execution)
    cloud.codebuild.status = "SUCCEEDED"
    _retry(cloud, execution, "FAILED_ACTIONS")
    assert cloud.ended(execution) == "Succeeded"
    until(lambda: cloud.events("Pipeline", execution) == ["STARTED", "FAILED", "RESUMED", "SUCCEEDED"])
    assert cloud.events("Stage", execution).count("Source:STARTED") == 1
    assert cloud.sent[-1][2]["pipeline-execution-attempt"] == 2.0


@pytest.mark.parametrize(("mode", "builds"), [("FAILED_ACTIONS", 3), ("ALL_ACTIONS", 4)])
def test_a_retry_repeats_succeeded_actions_only_in_mode_all_actions(
    cloud: FakeCloud, mode: str, builds: int
) -> None:
    good = {**build(), "name": "Good", "outputArtifacts": [], "namespace": "Good"}
    bad = {**build(EnvironmentVariables="no json"), "runOrder": 2}
    execution = cloud.create(stages=[stage("Source", source()), stage("Build", good, bad)])
    assert cloud.ended(execution) == "Failed"
    assert len(cloud.codebuild.started) == 1
    # The second action fails before it starts a build, so only repeats of the first are counted.
    _retry(cloud, execution, mode)
    assert cloud.ended(execution) == "Failed"
    runs = cloud.call("ListActionExecutions", pipelineName="pipeline-dev")["actionExecutionDetails"]
    assert len([run for run in runs if run["stageName"] == "Build"]) == builds


def test_only_the_latest_execution_of_a_stage_is_retried(cloud: FakeCloud) -> None:
    cloud.codebuild.status = "FAILED"
    first = cloud.create()
    cloud.ended(first)
    cloud.ended(cloud.start())
    with pytest.raises(AwsError, match="NotLatestPipelineExecutionException"):
        _retry(cloud, first, "FAILED_ACTIONS")


def test_a_stage_that_succeeded_is_not_retryable(cloud: FakeCloud) -> None:
    execution = cloud.create()
    cloud.ended(execution)
    with pytest.raises(AwsError, match="StageNotRetryableException"):
        _retry(cloud, execution, "FAILED_ACTIONS")


def test_a_missing_branch_fails_with_awss_message(cloud: FakeCloud) -> None:
    cloud.codecommit.branches.clear()
    execution = cloud.create()
    assert cloud.ended(execution) == "Failed"
    assert cloud.action("Source", "Source")["errorDetails"]["message"] == (
        "The action failed because no branch named main was found in the selected AWS CodeCommit repository"
        " repository-dev. Make sure you are using the correct branch name, and then try again. Error: null"
    )


def test_an_execution_keeps_the_structure_it_started_with(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    first = cloud.create()
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    cloud.call("UpdatePipeline", pipeline=declaration(stages=declaration()["stages"][:2]))
    assert cloud.newest() == first
    cloud.codebuild.released.set()
    assert cloud.ended(first) == "Succeeded"
    assert len(cloud.codedeploy.created) == 1
    assert cloud.ended(cloud.start()) == "Succeeded"
    assert len(cloud.codedeploy.created) == 1


def test_an_unexpected_error_fails_the_action_and_is_recorded(cloud: FakeCloud) -> None:
    def broken(repository: str, commit: str) -> bytes:
        raise ZeroDivisionError

    cloud.pipelines.engine.archive = broken
    assert cloud.ended(cloud.create()) == "Failed"
    until(lambda: bool(cloud.background_errors))
    assert "ZeroDivisionError" in cloud.background_errors[0]
    cloud.background_errors.clear()


def _stage(cloud: FakeCloud, name: str) -> dict[str, dict[str, str]]:
    states = cloud.call("GetPipelineState", name="pipeline-dev")["stageStates"]
    found: dict[str, dict[str, str]] = next(item for item in states if item["stageName"] == name)
    return found


def _inbound(cloud: FakeCloud, name: str) -> list[str]:
    return [item["pipelineExecutionId"] for item in _stage(cloud, name)["inboundExecutions"]]  # type: ignore[index]


def _stop(cloud: FakeCloud, execution: str, **params: object) -> None:
    cloud.call("StopPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=execution, **params)


def _retry(cloud: FakeCloud, execution: str, mode: str) -> None:
    cloud.call(
        "RetryStageExecution",
        pipelineName="pipeline-dev",
        stageName="Build",
        pipelineExecutionId=execution,
        retryMode=mode,
    )
