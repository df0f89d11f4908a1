"""RollbackStage runs one stage again with what an earlier execution built.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
"""

import json

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.declarations import declaration
from unit_tests.local_aws.services.codepipeline.fakes import IMAGE, FakeCloud, until

NOBODY = "00000000-0000-4000-8000-000000000000"


def roll_back(cloud: FakeCloud, target: str, stage: str = "Deploy") -> str:
    answer = cloud.call(
        "RollbackStage", pipelineName="pipeline-dev", stageName=stage, targetPipelineExecutionId=target
    )
    return str(answer["pipelineExecutionId"])


def refusal(cloud: FakeCloud, target: str, stage: str = "Deploy") -> AwsError:
    with pytest.raises(AwsError) as refused:
        roll_back(cloud, target, stage)
    return refused.value


def released(cloud: FakeCloud) -> str:
    execution = cloud.create()
    assert cloud.ended(execution) == "Succeeded"
    return execution


def test_a_rollback_deploys_what_an_earlier_execution_built_without_a_build(cloud: FakeCloud) -> None:
    first = released(cloud)
    cloud.codebuild.files["imageDetail.json"] = json.dumps({"ImageURI": IMAGE.replace("0" * 64, "1" * 64)})
    assert cloud.ended(cloud.start()) == "Succeeded"
    builds = len(cloud.codebuild.started)
    execution = roll_back(cloud, first)
    assert cloud.ended(execution) == "Succeeded"
    assert len(cloud.codebuild.started) == builds
    assert len(cloud.codedeploy.created) == 3
    images = [each["containerDefinitions"][0]["image"] for each in cloud.ecs.registered]
    assert images[2] == images[0] == IMAGE != images[1]


def test_a_rollback_runs_the_one_stage_and_says_so(cloud: FakeCloud) -> None:
    first = released(cloud)
    execution = roll_back(cloud, first, "Build")
    assert cloud.ended(execution) == "Succeeded"
    until(lambda: cloud.events("Pipeline", execution)[-1:] == ["SUCCEEDED"])
    assert cloud.events("Stage", execution) == ["Build:STARTED", "Build:SUCCEEDED"]
    summary = cloud.summaries()[0]
    assert summary["pipelineExecutionId"] == execution
    assert summary["executionType"] == "ROLLBACK"
    assert summary["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert summary["trigger"]["triggerType"] == "ManualRollback"
    assert summary["sourceRevisions"] == cloud.summaries()[1]["sourceRevisions"]
    described = cloud.call("GetPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=execution)
    assert described["pipelineExecution"]["executionType"] == "ROLLBACK"
    state = cloud.call("GetPipelineState", name="pipeline-dev")["stageStates"][1]
    assert state["latestExecution"]["type"] == "ROLLBACK"


def test_the_source_stage_is_refused(cloud: FakeCloud) -> None:
    error = refusal(cloud, released(cloud), "Source")
    assert (error.code, "source stage" in error.message) == ("UnableToRollbackStageException", True)


def test_an_unknown_execution_or_stage_is_refused(cloud: FakeCloud) -> None:
    first = released(cloud)
    assert refusal(cloud, NOBODY).code == "PipelineExecutionNotFoundException"
    assert refusal(cloud, first, "Nowhere").code == "StageNotFoundException"


def test_an_execution_that_failed_in_the_stage_is_refused(cloud: FakeCloud) -> None:
    cloud.codebuild.status = "FAILED"
    execution = cloud.create()
    assert cloud.ended(execution) == "Failed"
    for stage in ("Build", "Deploy"):
        assert "has not succeeded" in refusal(cloud, execution, stage).message


def test_a_rollback_is_no_target_of_another(cloud: FakeCloud) -> None:
    execution = roll_back(cloud, released(cloud))
    cloud.ended(execution)
    assert "is a rollback" in refusal(cloud, execution).message


def test_an_execution_of_another_version_of_the_pipeline_is_refused(cloud: FakeCloud) -> None:
    first = released(cloud)
    cloud.call("UpdatePipeline", pipeline=declaration())
    assert "has changed" in refusal(cloud, first).message


def test_a_stage_that_runs_is_refused(cloud: FakeCloud) -> None:
    first = released(cloud)
    cloud.codebuild.released.clear()
    second = cloud.start()
    until(lambda: cloud.action("Build", "Build").get("status") == "InProgress")
    assert "currently running" in refusal(cloud, first, "Build").message
    cloud.codebuild.released.set()
    cloud.ended(second)


def test_a_pipeline_of_type_v1_is_refused(cloud: FakeCloud) -> None:
    execution = cloud.create(pipelineType="V1")
    cloud.ended(execution)
    assert "not of type V2" in refusal(cloud, execution).message
