"""What the dashboard reads of an environment, with recorded responses."""

import pytest
from botocore.exceptions import ClientError

from harness.dashboard import failure
from operations.why.cause import Cause, Explanation
from unit_tests.harness.dashboard.recorded_responses import NEW, NOW, OLD, commit, environment, summary, view
from unit_tests.harness.recorded_cloud import URL, Responses


@pytest.fixture
def responses() -> Responses:
    return environment()


def refusal(code: str, words: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": words}}, "Operation")


def test_blue_and_green_have_versions_tasks_and_weights(responses: Responses) -> None:
    blue, green = view(responses).read()["target_groups"]["target_groups"]
    assert (blue["name"], green["name"]) == ("target-group-blue-it1", "target-group-green-it1")
    assert (blue["version"], green["version"]) == ("python:3.9-slim", NEW), (
        "the bootstrap server has no commit"
    )
    assert (blue["status"], green["status"]) == ("PRIMARY", "ACTIVE")
    assert (blue["production"], green["production"]) == (90, 10)
    assert (blue["test"], green["test"]) == (0, 100)
    assert (green["running"], green["desired"], green["healthy"], green["targets"]) == (1, 2, 1, 2)


def test_a_service_without_task_sets_and_test_listener_is_shown(responses: Responses) -> None:
    group = responses["get_deployment_group"]["deploymentGroupInfo"]["loadBalancerInfo"]
    del group["targetGroupPairInfoList"][0]["testTrafficRoute"]
    responses["describe_services"] = {"services": [{}]}
    for side in view(responses).read()["target_groups"]["target_groups"]:
        assert (side["version"], side["status"], side["desired"], side["test"]) == ("", "", 0, 0)


def test_an_environment_that_is_not_deployed_has_only_its_missing_stack(responses: Responses) -> None:
    responses["describe_stacks"] = refusal("ValidationError", "Stack with id stack-it1 does not exist")
    seen = view(responses).read()
    assert seen == {"stack": {"name": "stack-it1", "status": "", "reason": "", "nested": []}}


def test_a_stack_in_progress_has_the_status_of_its_nested_stacks(responses: Responses) -> None:
    stack = {"StackName": "stack-it1", "StackStatus": "CREATE_IN_PROGRESS"}
    name = "NetworkNestedStackNetworkNestedStackResource0124E108"
    kinds = [("AWS::CloudFormation::Stack", name), ("AWS::SSM::Parameter", "Other")]
    responses["describe_stacks"] = {"Stacks": [stack]}
    responses["describe_stack_resources"] = {
        "StackResources": [
            {"ResourceType": kind, "LogicalResourceId": logical, "ResourceStatus": "CREATE_COMPLETE"}
            for kind, logical in kinds
        ]
    }
    assert view(responses).read()["stack"]["nested"] == [{"name": "Network", "status": "CREATE_COMPLETE"}]


def test_a_destroyed_environment_is_no_longer_probed(responses: Responses) -> None:
    seen = view(responses)
    seen.read()
    assert (seen.url, seen.health_path) == (URL, "/polls/")
    responses["describe_stacks"] = refusal("ValidationError", "Stack with id stack-it1 does not exist")
    assert set(seen.read()) == {"stack"}
    assert seen.url == ""


def test_a_part_that_cannot_be_read_has_awss_message_and_the_others_are_read(responses: Responses) -> None:
    responses["get_pipeline_state"] = refusal("PipelineNotFoundException", "no pipeline-it1")
    seen = view(responses).read()
    assert "no pipeline-it1" in seen["pipeline"]["error"]
    assert "error" not in seen["target_groups"]


def test_the_log_is_of_the_running_build(responses: Responses) -> None:
    builds = {"b:1": responses["batch_get_builds"]["builds"]}
    responses["batch_get_builds"] = lambda ids: {"builds": builds[ids[0]]}
    assert view(responses).read()["logs"]["build"] == ["Phase complete: BUILD"]


def test_the_log_of_the_tasks_is_in_the_group_of_the_outputs(responses: Responses) -> None:
    """The recorded value of an output is its key."""
    line = {"logStreamName": "app/app/1", "timestamp": 0, "message": "listening"}
    groups = {"TaskLogGroupName": {"events": [line]}}
    responses["filter_log_events"] = lambda logGroupName, **_: groups[logGroupName]  # noqa: N803 - boto3's own
    assert view(responses).read()["logs"]["tasks"] == ["00:00:00 1 listening"]


def test_a_release_has_the_author_and_the_date_of_its_commit(responses: Responses) -> None:
    """The first commit is the stack's: nobody has pushed it."""
    commits = {NEW: commit("Jo", parents=[OLD]), OLD: commit("AWS CodeCommit", parents=[])}
    executions = [summary("2", NEW), summary("1", OLD), summary("0", "")]
    responses["list_pipeline_executions"] = {"pipelineExecutionSummaries": executions}
    responses["get_commit"] = lambda commitId, **_: {"commit": commits[commitId]}  # noqa: N803 - boto3's own
    rows = view(responses).read()["pipeline"]["releases"]
    assert [(one["author"], one["written"], one["seed"]) for one in rows] == [
        ("Jo", 1_700_000_000, False),
        ("AWS CodeCommit", 1_700_000_000, True),
        ("", None, False),
    ]


def test_a_release_whose_commit_is_gone_is_still_listed(responses: Responses) -> None:
    responses["get_commit"] = refusal("CommitDoesNotExistException", "gone")
    (row,) = view(responses).read()["pipeline"]["releases"]
    assert (row["commit"], row["author"]) == (NEW, "")


def test_the_newest_release_that_has_failed_is_explained(
    responses: Responses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `operations why` explains it, and again until its logs are complete."""
    monkeypatch.setattr(failure, "SETTLED_SECONDS", 1e9)
    assert view(responses).read()["failure"] == {"lines": []}
    failed_with(responses, "No branch named main")
    seen = view(responses)
    first, reason, remedy = seen.read()["failure"]["lines"]
    assert first == 'it1: release bbbbbbb "Greet from 1" failed in Source'
    assert (reason, remedy) == ("why: No branch named main", "do:  push the branch again")
    failed_with(responses, "another reason")
    assert seen.read()["failure"]["lines"][1] == reason
    monkeypatch.setattr(failure, "SECONDS", -1.0)
    assert seen.read()["failure"]["lines"][1] == "why: another reason"
    monkeypatch.setattr(failure, "SETTLED_SECONDS", 0.0)
    failed_with(responses, "nobody looks again")
    assert seen.read()["failure"]["lines"][1] == "why: another reason"


def test_a_release_that_runs_is_explained_if_its_tasks_do_not_start(
    responses: Responses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks have no log then: the reason stands only in the events of the service."""
    cause = Cause("tasks", "ECS was unable to assume the role", "grant the execution role what it names")
    running = Explanation("it1", "1", NEW, "", "InProgress", "Deploy", cause, "is running in")
    monkeypatch.setattr(failure, "explain_execution", lambda *_: running)
    executions = [summary("1", NEW, "InProgress")]
    responses["list_pipeline_executions"] = {"pipelineExecutionSummaries": executions}
    assert view(responses).read()["failure"]["lines"] == [
        "it1: release bbbbbbb is running in Deploy: tasks",
        "why: ECS was unable to assume the role",
        "do:  grant the execution role what it names",
    ]


def failed_with(responses: Responses, message: str) -> None:
    executions = [summary("1", NEW, "Failed")]
    responses["list_pipeline_executions"] = {"pipelineExecutionSummaries": executions}
    action = {
        "stageName": "Source",
        "actionName": "Source",
        "status": "Failed",
        "startTime": NOW,
        "input": {"actionTypeId": {"provider": "CodeCommit"}},
        "output": {"executionResult": {"errorDetails": {"message": message}}},
    }
    responses["list_action_executions"] = {"actionExecutionDetails": [action]}
