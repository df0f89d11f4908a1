"""Pipelines by the API and by CloudFormation: names, versions, tags, triggers, lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.fakes import (
    FakeCloud,
    declaration,
    running,
    source,
    stage,
    until,
)

ARN = "arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev"
RULE = "arn:aws:events:us-east-1:123456789012:rule/push"
ROLE = "arn:aws:iam::123456789012:role/events-role-dev"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    with running(tmp_path, monkeypatch) as found:
        yield found


def test_a_pipeline_is_created_updated_listed_and_deleted(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    cloud.call("UpdatePipeline", pipeline=declaration(roleArn=ROLE))
    assert cloud.call("GetPipeline", name="pipeline-dev")["pipeline"]["version"] == 2
    assert cloud.call("GetPipeline", name="pipeline-dev", version=1)["pipeline"]["roleArn"] != ROLE
    assert [item["name"] for item in cloud.call("ListPipelines")["pipelines"]] == ["pipeline-dev"]
    cloud.call("DeletePipeline", name="pipeline-dev")
    cloud.call("DeletePipeline", name="pipeline-dev")
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_an_unknown_pipeline_is_reported_with_awss_message(cloud: FakeCloud) -> None:
    with pytest.raises(AwsError) as caught:
        cloud.call("GetPipelineState", name="nowhere")
    assert caught.value.code == "PipelineNotFoundException"
    assert caught.value.message == "Account '123456789012' does not have a pipeline with name 'nowhere'"


def test_a_name_is_used_once(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    with pytest.raises(AwsError, match="PipelineNameInUseException"):
        cloud.create()


def test_the_same_client_request_token_starts_one_execution(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    first = cloud.start(clientRequestToken="t")
    assert cloud.start(clientRequestToken="t") == first
    assert cloud.ended(first) == "Succeeded"
    assert cloud.start(clientRequestToken="u") != first
    cloud.ended(cloud.newest())


def test_an_event_starts_the_pipeline_as_the_targets_role(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    cloud.pipelines.deliver(ARN, {"Arn": ARN, "RoleArn": ROLE}, RULE)
    until(lambda: len(cloud.summaries()) == 2)
    assert cloud.summaries()[0]["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": RULE}
    assert ("codepipeline", ROLE) in cloud.requested_clients
    cloud.ended(cloud.newest())


def test_a_target_without_a_role_starts_nothing_and_is_recorded_as_an_error(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    cloud.pipelines.deliver(ARN, {"Arn": ARN})
    until(lambda: bool(cloud.background_errors))
    assert "RoleArn is required for target" in cloud.background_errors.pop()
    assert len(cloud.summaries()) == 1


def test_a_polled_branch_starts_the_pipeline_when_it_changes(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.services.codepipeline.polling.POLL_SECONDS", 1)
    stages = [stage("Source", source(PollForSourceChanges="true")), *declaration()["stages"][1:]]
    cloud.ended(cloud.create(stages=stages))
    until(lambda: cloud.requested_clients.count(("codecommit", declaration()["roleArn"])) > 5)
    assert len(cloud.summaries()) == 1
    cloud.codecommit.branches["main"] = "c" * 40
    until(lambda: len(cloud.summaries()) == 2)
    assert cloud.summaries()[0]["trigger"]["triggerType"] == "PollForSourceChanges"
    cloud.ended(cloud.newest())


def test_a_branch_that_is_not_polled_starts_nothing(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.services.codepipeline.polling.POLL_SECONDS", 1)
    cloud.ended(cloud.create())
    cloud.codecommit.branches["main"] = "c" * 40
    with pytest.raises(AssertionError, match="in time"):
        until(lambda: len(cloud.summaries()) == 2, seconds=0.3)


def test_pipeline_variables_have_defaults_and_values(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create(variables=[{"name": "Reason", "defaultValue": "push"}]))
    started = cloud.start(variables=[{"name": "Reason", "value": "hotfix"}])
    cloud.ended(started)
    answer = cloud.call("GetPipelineExecution", pipelineName="pipeline-dev", pipelineExecutionId=started)
    assert answer["pipelineExecution"]["variables"] == [{"name": "Reason", "resolvedValue": "hotfix"}]
    with pytest.raises(AwsError, match="not declared"):
        cloud.start(variables=[{"name": "Other", "value": "x"}])


def test_lists_come_in_pages(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    cloud.ended(cloud.start())
    request: dict[str, Any] = {"pipelineName": "pipeline-dev", "maxResults": 4}
    first = cloud.call("ListActionExecutions", **request)
    rest = cloud.call("ListActionExecutions", **request, nextToken=first["nextToken"])
    assert (len(first["actionExecutionDetails"]), len(rest["actionExecutionDetails"])) == (4, 2)
    assert "nextToken" not in rest
    with pytest.raises(AwsError, match="InvalidNextTokenException"):
        cloud.call("ListActionExecutions", **request, nextToken="x")


def test_actions_are_listed_of_one_execution(cloud: FakeCloud) -> None:
    cloud.ended(cloud.create())
    second = cloud.start()
    cloud.ended(second)
    found = cloud.call(
        "ListActionExecutions", pipelineName="pipeline-dev", filter={"pipelineExecutionId": second}
    )["actionExecutionDetails"]
    assert [run["actionName"] for run in found] == ["Deploy", "Build", "Source"]
    assert {run["pipelineExecutionId"] for run in found} == {second}


def test_tags_are_added_changed_and_removed(cloud: FakeCloud) -> None:
    cloud.call("CreatePipeline", pipeline=declaration(), tags=[{"key": "a", "value": "1"}])
    cloud.call("TagResource", resourceArn=ARN, tags=[{"key": "b", "value": "2"}])
    cloud.call("UntagResource", resourceArn=ARN, tagKeys=["a"])
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        cloud.call("ListTagsForResource", resourceArn=ARN + "x")


def test_a_deleted_pipeline_stops_its_build(cloud: FakeCloud) -> None:
    cloud.codebuild.released.clear()
    cloud.create()
    until(lambda: cloud.action("Build", "Build").get("externalExecutionId") is not None)
    cloud.call("DeletePipeline", name="pipeline-dev")
    until(lambda: cloud.codebuild.stopped == ["build-dev:1"])
    assert cloud.codedeploy.created == []


def test_an_operation_that_is_not_implemented_is_refused_by_name(cloud: FakeCloud) -> None:
    with pytest.raises(AwsError, match="does not implement codepipeline:RollbackStage"):
        cloud.call(
            "RollbackStage", pipelineName="pipeline-dev", stageName="Build", targetPipelineExecutionId="x"
        )


def pascal(value: Any) -> Any:
    """Return a declaration as a template writes it."""
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key[0].upper() + key[1:]: item if key == "configuration" else pascal(item)
        for key, item in value.items()
    }


def template(**changes: Any) -> dict[str, Any]:
    """Return the shipped pipeline as CloudFormation properties."""
    return {
        **pascal(declaration()),
        "RestartExecutionOnUpdate": False,
        "Tags": [{"Key": "suffix", "Value": "dev"}],
        **changes,
    }


def test_cloudformation_creates_updates_and_deletes_a_pipeline(cloud: FakeCloud) -> None:
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    name, attributes = kind.create(template(), "Pipeline", "stack-dev")
    assert (name, attributes) == ("pipeline-dev", {"Version": "1"})
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [{"key": "suffix", "value": "dev"}]
    cloud.ended(cloud.newest())
    assert kind.update is not None
    changed = template(RoleArn=ROLE, Tags=[])
    assert kind.update(name, template(), changed) == {"Version": "2"}
    assert (len(cloud.summaries()), cloud.call("ListTagsForResource", resourceArn=ARN)["tags"]) == (1, [])
    kind.update(name, changed, {**changed, "RestartExecutionOnUpdate": "true"})
    assert len(cloud.summaries()) == 2
    cloud.ended(cloud.newest())
    kind.delete(name, changed)
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_the_tags_of_cloudformation_are_listed_and_callers_cannot_set_them(cloud: FakeCloud) -> None:
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    reserved = {"Key": "aws:cloudformation:stack-name", "Value": "stack-dev"}
    properties = template(Tags=[reserved, {"Key": "suffix", "Value": "dev"}])
    kind.create(properties, "Pipeline", "stack-dev")
    shown = {"key": reserved["Key"], "value": "stack-dev"}
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [
        shown,
        {"key": "suffix", "value": "dev"},
    ]
    with pytest.raises(AwsError, match="InvalidTagsException"):
        cloud.call("UntagResource", resourceArn=ARN, tagKeys=[reserved["Key"]])
    with pytest.raises(AwsError, match="InvalidTagsException"):
        cloud.call("TagResource", resourceArn=ARN, tags=[{**shown, "value": "mine"}])
    assert kind.update is not None
    kind.update("pipeline-dev", properties, template(Tags=[reserved]))
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [shown]
    cloud.ended(cloud.newest())


def test_cloudformation_accepts_booleans_and_numbers_as_templates_write_them(cloud: FakeCloud) -> None:
    properties = template()
    properties["Stages"][0]["Actions"][0]["Configuration"]["PollForSourceChanges"] = False
    properties["Stages"][0]["Actions"][0]["RunOrder"] = "1"
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    kind.create(properties, "Pipeline", "stack-dev")
    first = cloud.call("GetPipeline", name="pipeline-dev")["pipeline"]["stages"][0]["actions"][0]
    assert (first["configuration"]["PollForSourceChanges"], first["runOrder"]) == ("false", 1)
    cloud.ended(cloud.newest())


def test_cloudformation_disables_a_transition_before_the_first_execution(cloud: FakeCloud) -> None:
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    disabled = {"DisableInboundStageTransitions": [{"StageName": "Source", "Reason": "not yet"}]}
    kind.create(template(**disabled), "Pipeline", "stack-dev")
    with pytest.raises(AssertionError, match="in time"):
        until(lambda: bool(cloud.s3.objects), seconds=0.2)
    assert kind.update is not None
    kind.update("pipeline-dev", template(**disabled), template())
    assert cloud.ended(cloud.newest()) == "Succeeded"


@pytest.mark.parametrize(
    "changes",
    [
        {"Colour": "blue"},
        {"DisableInboundStageTransitions": [{"StageName": "Build", "Reason": "x", "Colour": "blue"}]},
        {"DisableInboundStageTransitions": [{"StageName": "Nowhere", "Reason": "x"}]},
        {"ArtifactStores": []},
    ],
)
def test_an_unsupported_property_is_refused_and_leaves_no_pipeline(
    cloud: FakeCloud, changes: dict[str, Any]
) -> None:
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    with pytest.raises(AwsError):
        kind.create(template(**changes), "Pipeline", "stack-dev")
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_cloudformation_generates_a_name_when_none_is_given(cloud: FakeCloud) -> None:
    properties = template()
    del properties["Name"]
    kind = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    name, _ = kind.create(properties, "Pipeline", "stack-dev")
    assert name.startswith("stack-dev-Pipeline-")
