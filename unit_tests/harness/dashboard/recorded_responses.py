"""Responses of AWS for the tests of what the dashboard reads."""

from datetime import UTC, datetime
from typing import Any, cast

from harness.cloud import Cloud
from harness.dashboard.environment_view import EnvironmentView
from infrastructure.outputs import Outputs
from unit_tests.harness.recorded_cloud import RecordedCloud, Responses

OLD, NEW = "a" * 40, "b" * 40
NOW = datetime(2026, 11, 24, 3, 8, tzinfo=UTC)
BLUE, GREEN = "arn:aws:elb:tg/target-group-blue-it1/1", "arn:aws:elb:tg/target-group-green-it1/2"
OUTPUT_KEYS = Outputs.keys()


def summary(execution: str, commit: str, status: str = "Succeeded") -> Responses:
    """Return an execution as ListPipelineExecutions does."""
    revisions = [{"revisionId": commit, "revisionSummary": f"Greet from {execution}"}] if commit else []
    times = {"startTime": NOW, "lastUpdateTime": NOW}
    return {"pipelineExecutionId": execution, "status": status, "sourceRevisions": revisions, **times}


def commit(author: str, parents: list[str]) -> Responses:
    """Return a commit as GetCommit does."""
    return {"author": {"name": author, "date": "1700000000 +0100"}, "parents": parents}


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


def environment() -> Responses:
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
        "list_action_executions": {"actionExecutionDetails": []},
        "get_commit": {"commit": commit("Jo", parents=[OLD])},
        "get_pipeline_state": state(
            stage("Source", "1", "Succeeded"), stage("Build", "1", "InProgress", "b:1")
        ),
        "get_deployment_group": {"deploymentGroupInfo": {"loadBalancerInfo": loads}},
        "describe_target_groups": {
            "TargetGroups": [
                {"TargetGroupName": name, "TargetGroupArn": arn, "HealthCheckPath": "/polls/"}
                for name, arn in groups.items()
            ]
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
