"""CodePipeline's API: pipelines, versions, tags, triggers, lists."""

from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.declarations import declaration, source, stage
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until

ARN = "arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev"


RULE = "arn:aws:events:us-east-1:123456789012:rule/push"


ROLE = "arn:aws:iam::123456789012:role/events-role-dev"


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


def test_an_update_of_an_unknown_pipeline_gets_the_code_that_its_model_does_not_declare(
    cloud: FakeCloud,
) -> None:
    with pytest.raises(AwsError) as caught:
        cloud.call("UpdatePipeline", pipeline=declaration())
    assert caught.value.code == "ResourceNotFoundException"
    assert (
        caught.value.message
        == "The account with id '123456789012' does not include a pipeline with the name 'pipeline-dev'"
    )


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
    with pytest.raises(AwsError, match="does not implement codepipeline:ListWebhooks"):
        cloud.call("ListWebhooks")


def test_a_pipeline_whose_role_does_not_trust_codepipeline_is_not_created(cloud: FakeCloud) -> None:
    role = declaration()["roleArn"]
    cloud.untrusting.add(role)
    with pytest.raises(AwsError) as caught:
        cloud.create()
    assert caught.value.code == "InvalidStructureException"
    assert caught.value.message == f"CodePipeline is not authorized to perform AssumeRole on role {role}"
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_a_pipeline_whose_role_may_not_assume_an_actions_role_is_not_created(cloud: FakeCloud) -> None:
    cloud.sts.refused.add(ROLE)
    stages = [stage("Source", {**source(), "roleArn": ROLE}), *declaration()["stages"][1:]]
    with pytest.raises(AwsError) as caught:
        cloud.create(stages=stages)
    role = declaration()["roleArn"]
    assert caught.value.message == f"{role} is not authorized to perform AssumeRole on role {ROLE}"
