"""The stages, releases and deployments on the dashboard."""

from datetime import timedelta
from typing import cast

import pytest

from harness.cloud import Cloud
from harness.dashboard.pipeline_state import (
    SUBJECT_LENGTH,
    deployments_of,
    external_id,
    release_of,
    stages_of,
)
from harness.release import Releases
from infrastructure.outputs import Outputs
from unit_tests.harness.dashboard.recorded_responses import (
    NEW,
    NOW,
    OLD,
    OUTPUT_KEYS,
    stage,
    state,
    summary,
)
from unit_tests.harness.recorded_cloud import RecordedCloud


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


@pytest.mark.parametrize(("minutes", "newest"), [(1, "build-dev:1"), (-1, "test-dev:2")])
def test_the_external_id_is_of_the_action_that_changed_last(minutes: int, newest: str) -> None:
    build = stage("Build", "1", "InProgress", "test-dev:2")
    (test,) = build["actionStates"]
    changed = test["latestExecution"]["lastStatusChange"] + timedelta(minutes=minutes)
    run = {"externalExecutionId": "build-dev:1", "lastStatusChange": changed}
    build["actionStates"].append({"actionName": "Build", "latestExecution": run})
    assert external_id(state(build), "Build") == newest
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
        "d-2": {"status": "InProgress", "rollbackInfo": {"rollbackTriggeringDeploymentId": "d-1"}},
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
    assert (failed["rollback_of"], back["rollback_of"]) == ("", "d-1")


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
