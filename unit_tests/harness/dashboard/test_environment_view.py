"""What the dashboard reads of an environment, with recorded responses."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.pipeline_state import (
    SUBJECT_LENGTH,
    deployments_of,
    external_id,
    release_of,
    stages_of,
)
from harness.dashboard.reports import report, traffic_of
from harness.prober import Answer, Prober
from harness.release import Releases
from infrastructure.outputs import Outputs
from unit_tests.harness.recorded_cloud import URL, RecordedCloud, Responses

OLD, NEW = "a" * 40, "b" * 40
NOW = datetime(2026, 11, 24, 3, 8, tzinfo=UTC)
BLUE, GREEN = "arn:aws:elb:tg/target-group-blue-it1/1", "arn:aws:elb:tg/target-group-green-it1/2"
OUTPUT_KEYS = Outputs.keys()


def summary(execution: str, commit: str, status: str = "Succeeded") -> Responses:
    """Return an execution as ListPipelineExecutions does."""
    revisions = [{"revisionId": commit, "revisionSummary": f"Greet from {execution}"}] if commit else []
    moments = {"startTime": NOW, "lastUpdateTime": NOW}
    return {"pipelineExecutionId": execution, "status": status, "sourceRevisions": revisions, **moments}


def stage(name: str, execution: str, status: str, external: str = "", **more: Any) -> Responses:
    """Return a stage as GetPipelineState does."""
    latest = {"status": status, "lastStatusChange": NOW, "externalExecutionId": external}
    return {
        "stageName": name,
        "latestExecution": {"pipelineExecutionId": execution, "status": status},
        "actionStates": [{"actionName": name, "latestExecution": {**latest, **more}}],
    }


def state(*stages: Responses) -> Responses:
    return {"stageStates": list(stages)}


def forward(**weights: int) -> list[Responses]:
    groups = {"blue": BLUE, "green": GREEN}
    shared = [{"TargetGroupArn": groups[name], "Weight": weight} for name, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": shared}}]


def task_set(group: str, definition: str, status: str) -> Responses:
    counts = {"runningCount": 1, "computedDesiredCount": 2}
    groups = [{"targetGroupArn": group}]
    return {"status": status, "taskDefinition": definition, "loadBalancers": groups, **counts}


def definition(taskDefinition: str) -> Responses:  # noqa: N803 - boto3's own name
    labels = {"dockerLabels": {"org.opencontainers.image.revision": NEW}} if taskDefinition == "new" else {}
    return {"taskDefinition": {"containerDefinitions": [{"image": "ecr/docker/python:3.9-slim", **labels}]}}


def health(TargetGroupArn: str) -> Responses:  # noqa: N803 - boto3's own name
    states = ["healthy", "initial"] if TargetGroupArn == GREEN else ["healthy"]
    return {"TargetHealthDescriptions": [{"TargetHealth": {"State": one}} for one in states]}


def listeners(ListenerArns: list[str]) -> Responses:  # noqa: N803 - boto3's own name
    actions = forward(blue=90, green=10) if ListenerArns == ["production"] else forward(blue=0, green=1)
    return {"Listeners": [{"DefaultActions": actions}]}


@pytest.fixture
def responses() -> Responses:
    """An environment during its first shift from the bootstrap server."""
    outputs = [{"OutputKey": key, "OutputValue": key} for key in OUTPUT_KEYS]
    pair = {
        "targetGroups": [{"name": "target-group-blue-it1"}, {"name": "target-group-green-it1"}],
        "prodTrafficRoute": {"listenerArns": ["production"]},
        "testTrafficRoute": {"listenerArns": ["test"]},
    }
    loads = {"targetGroupPairInfoList": [pair]}
    groups = {"target-group-blue-it1": BLUE, "target-group-green-it1": GREEN}
    stack = {"StackName": "stack-it1", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    return {
        "describe_stacks": {"Stacks": [stack]},
        "list_pipeline_executions": {"pipelineExecutionSummaries": [summary("1", NEW, "InProgress")]},
        "get_pipeline_state": state(
            stage("Source", "1", "Succeeded"), stage("Build", "1", "InProgress", "b:1")
        ),
        "get_deployment_group": {"deploymentGroupInfo": {"loadBalancerInfo": loads}},
        "describe_target_groups": {
            "TargetGroups": [{"TargetGroupName": name, "TargetGroupArn": arn} for name, arn in groups.items()]
        },
        "describe_services": {
            "services": [{"taskSets": [task_set(BLUE, "old", "PRIMARY"), task_set(GREEN, "new", "ACTIVE")]}]
        },
        "describe_listeners": listeners,
        "describe_target_health": health,
        "describe_task_definition": definition,
        "batch_get_builds": {"builds": [{"logs": {"groupName": "builds", "streamName": "1"}}]},
        "get_log_events": {"events": [{"message": "Phase complete: BUILD\n"}]},
        "filter_log_events": {"events": []},
    }


def view(responses: Responses) -> EnvironmentView:
    return EnvironmentView(cast(Cloud, RecordedCloud(responses)), "it1")


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
    assert seen.url == URL
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


def test_each_stage_has_the_commit_that_is_in_it() -> None:
    waiting = stage("Deploy", "1", "InProgress") | {"inboundExecutions": [{"pipelineExecutionId": "2"}]}
    found = state(stage("Source", "2", "Succeeded"), waiting, {"stageName": "Promote", "actionStates": []})
    source, deploy, promote = stages_of(found, [summary("2", NEW), summary("1", OLD)])
    assert (source.commit, source.status) == (NEW, "Succeeded")
    assert (deploy.commit, deploy.status, deploy.waiting) == (OLD, "InProgress", (NEW,))
    assert (promote.commit, promote.status) == ("", "")


def test_a_disabled_transition_and_a_failed_action_have_a_reason() -> None:
    error = {"code": "JobFailed", "message": "Build terminated with state: FAILED"}
    closed = {"enabled": False, "disabledReason": "no releases today"}
    found = stage("Build", "1", "Failed", errorDetails=error) | {"inboundTransitionState": closed}
    (build,) = stages_of(state(found), [summary("1", "")])
    assert build.closed == "no releases today"
    assert build.actions[0].reason == "Build terminated with state: FAILED"
    assert build.actions[0].at == NOW.timestamp()


def test_the_source_action_has_the_subject_of_its_commit() -> None:
    found = stage("Source", "1", "Succeeded", summary="Greet\n\nBecause it is polite")
    (source,) = stages_of(state(found), [summary("1", NEW)])
    assert source.actions[0].reason == "Greet"


def test_the_external_id_is_of_the_first_action() -> None:
    deploy = stage("Deploy", "1", "InProgress", "d-1")
    promotion = {"actionName": "Deploy-prod", "latestExecution": {"externalExecutionId": "d-2"}}
    deploy["actionStates"].append(promotion)
    assert external_id(state(deploy), "Deploy") == "d-1"
    idle = {"stageName": "Deploy", "actionStates": [{"actionName": "Deploy"}]}
    assert external_id(state(idle), "Deploy") == ""
    assert external_id(state(), "Deploy") == ""


def test_a_rollback_follows_its_failed_deployment() -> None:
    known = {
        "d-1": {
            "status": "Stopped",
            "errorInformation": {"message": "an alarm went off"},
            "rollbackInfo": {"rollbackDeploymentId": "d-2"},
        },
        "d-2": {"status": "InProgress", "rollbackInfo": {}},
    }
    events = {"d-1": [{"lifecycleEventName": "AllowTraffic", "status": "Failed"}], "d-2": []}
    responses = {
        "get_deployment": lambda **arguments: {"deploymentInfo": known[arguments["deploymentId"]]},
        "list_deployment_targets": lambda **arguments: {"targetIds": [arguments["deploymentId"]]},
        "batch_get_deployment_targets": lambda **arguments: {
            "deploymentTargets": [{"ecsTarget": {"lifecycleEvents": events[arguments["deploymentId"]]}}]
        },
    }
    outputs = Outputs.from_stack(dict.fromkeys(OUTPUT_KEYS, "any"))
    failed, back = deployments_of("d-1", Releases(cast(Cloud, RecordedCloud(responses)), outputs))
    assert (failed["status"], failed["reason"]) == ("Stopped", "an alarm went off")
    assert failed["events"] == [{"name": "AllowTraffic", "status": "Failed"}]
    assert (back["id"], back["status"], back["events"]) == ("d-2", "InProgress", [])


def test_a_finished_release_has_a_report_before_the_page_is_opened_and_a_running_one_has_none(
    responses: Responses,
) -> None:
    responses["list_pipeline_executions"] = {
        "pipelineExecutionSummaries": [summary("2", NEW, "InProgress"), summary("1", OLD, "Failed")]
    }
    moments = {"startTime": NOW, "lastUpdateTime": NOW}
    action = {"stageName": "Source", "actionName": "Source", "status": "Failed", **moments}
    responses["list_action_executions"] = {"actionExecutionDetails": [action]}
    seen = view(responses)
    text = report(seen, "1", None)
    assert text is not None
    assert f"commit <code>{OLD[:7]}</code>, Failed" in text
    assert "<strong>FAILED.</strong> Failed after 0 s" in text
    assert report(seen, "2", None) is None
    assert report(seen, "3", None) is None


def test_a_report_has_the_traffic_during_its_release(tmp_path: Path) -> None:
    prober = Prober("http://nowhere", tmp_path / "log")
    prober.began = 1000.0
    prober.answers = [
        Answer(at, 10.0, False, 200, version, "" if version else "status 502")
        for at, version in ((1.0, OLD), (5.5, OLD), (6.1, NEW), (6.2, ""), (20.0, NEW))
    ]
    traffic = traffic_of(prober, 1005.0, 1010.0)
    assert traffic is not None
    assert traffic.began == 1005.0
    assert [(one.at, one.versions, one.failed) for one in traffic.seconds] == [
        (1005.0, {OLD: 1}, 0),
        (1006.0, {NEW: 1}, 1),
    ]
    assert (traffic.figures.requests, traffic.figures.failures, traffic.errors) == (3, 1, {"status 502": 1})


def test_a_release_without_probes_has_no_traffic(tmp_path: Path) -> None:
    prober = Prober("http://nowhere", tmp_path / "log")
    prober.began = 1000.0
    prober.answers = [Answer(1.0, 10.0, False, 200, NEW)]
    assert traffic_of(prober, 900.0, 999.0) is None
    traffic = traffic_of(prober, 900.0, 1002.0)
    assert traffic is not None
    assert traffic.began == 1000.0, "the time before the first probe is not shown"


@pytest.mark.parametrize(
    ("message", "subject", "body"),
    [
        ("", "", ""),
        ("Greet\n", "Greet", ""),
        ("Greet\n\nBecause\nit is polite\n", "Greet", "Because\nit is polite"),
        ("x" * 120, "x" * SUBJECT_LENGTH + "…", "x" * 120),
        ("x" * 120 + "\n\nBody", "x" * SUBJECT_LENGTH + "…", "x" * 120 + "\n\nBody"),
    ],
    ids=["no message", "subject", "subject and body", "long subject", "long subject and body"],
)
def test_a_commit_message_is_split_into_subject_and_body(message: str, subject: str, body: str) -> None:
    execution = summary("1", NEW)
    execution["sourceRevisions"][0]["revisionSummary"] = message
    release = release_of(execution)
    assert (release["subject"], release["body"]) == (subject, body)
