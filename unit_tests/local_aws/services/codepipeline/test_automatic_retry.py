"""`onFailure` with the result RETRY: a failed stage is retried once by itself; GetPipelineState tells it."""

from typing import Any

import pytest

from unit_tests.local_aws.services.codepipeline.declarations import build, source, stage
from unit_tests.local_aws.services.codepipeline.fake_sts import refusal
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until

Json = dict[str, Any]


def stages(mode: str, *builds: Json) -> list[Json]:
    """Return a pipeline whose stages are retried in this mode."""
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": mode}}
    both = (stage("Source", source()), stage("Build", *(builds or (build(),))))
    return [{**each, "onFailure": retry} for each in both]


def metadata(cloud: FakeCloud, name: str) -> Json | None:
    states = cloud.call("GetPipelineState", name="pipeline-dev")["stageStates"]
    found: Json = next(each for each in states if each["stageName"] == name)
    return found.get("retryStageMetadata")


def runs(cloud: FakeCloud, name: str) -> list[str]:
    found = cloud.call("ListActionExecutions", pipelineName="pipeline-dev")["actionExecutionDetails"]
    return [run["status"] for run in reversed(found) if run["actionName"] == name]


def test_a_source_that_fails_once_is_released_without_anybody(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_branch, calls = cloud.codecommit.get_branch, []

    def fails_once(**request: Any) -> Json:
        calls.append(request)
        if len(calls) == 1:
            raise refusal("InternalServerError")
        answer: Json = get_branch(**request)
        return answer

    monkeypatch.setattr(cloud.codecommit, "get_branch", fails_once)
    execution = cloud.create(stages=stages("ALL_ACTIONS"))
    assert cloud.ended(execution) == "Succeeded"
    assert runs(cloud, "Source") == ["Failed", "Succeeded"]
    assert metadata(cloud, "Source") == {
        "autoStageRetryAttempt": 1,
        "latestRetryTrigger": "AutomatedStageRetry",
    }
    assert metadata(cloud, "Build") is None
    until(lambda: cloud.events("Pipeline", execution) == ["STARTED", "SUCCEEDED"])
    assert cloud.events("Stage", execution)[:4] == [
        "Source:STARTED",
        "Source:FAILED",
        "Source:RESUMED",
        "Source:SUCCEEDED",
    ]


def test_a_stage_that_fails_again_has_failed_until_a_person_retries_it(cloud: FakeCloud) -> None:
    cloud.codebuild.status = "FAILED"
    execution = cloud.create(stages=stages("FAILED_ACTIONS"))
    assert cloud.ended(execution) == "Failed"
    assert runs(cloud, "Build") == ["Failed", "Failed"]
    cloud.call(
        "RetryStageExecution",
        pipelineName="pipeline-dev",
        stageName="Build",
        pipelineExecutionId=execution,
        retryMode="FAILED_ACTIONS",
    )
    assert cloud.ended(execution) == "Failed"
    assert len(runs(cloud, "Build")) == 3, "one automatic retry in all"
    assert metadata(cloud, "Build") == {
        "autoStageRetryAttempt": 1,
        "manualStageRetryAttempt": 1,
        "latestRetryTrigger": "ManualStageRetry",
    }


@pytest.mark.parametrize(("mode", "builds"), [("FAILED_ACTIONS", 1), ("ALL_ACTIONS", 2)])
def test_the_mode_says_whether_the_actions_that_succeeded_run_again(
    cloud: FakeCloud, mode: str, builds: int
) -> None:
    good = {**build(), "name": "Good", "outputArtifacts": [], "namespace": "Good"}
    bad = {**build(EnvironmentVariables="no json"), "runOrder": 2}
    assert cloud.ended(cloud.create(stages=stages(mode, good, bad))) == "Failed"
    assert runs(cloud, "Good") == ["Succeeded"] * builds
    assert runs(cloud, "Build") == ["Failed"] * 2


def test_a_stopped_execution_is_not_retried(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    cloud.codebuild.status = "FAILED"
    execution = cloud.create(stages=stages("FAILED_ACTIONS"))
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    cloud.call("StopPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=execution)
    cloud.codebuild.released.set()
    cloud.ended(execution)
    assert (runs(cloud, "Build"), metadata(cloud, "Build")) == (["Failed"], None)
