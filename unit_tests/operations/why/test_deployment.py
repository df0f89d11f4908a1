"""Why a deployment failed: behind CodeDeploy's error, the hook's, the tasks' and the alarm's reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.why import explain
from operations.why.cause import Cause
from unit_tests.operations.account_fakes import Answer
from unit_tests.operations.why.release_answers import (
    BEGAN,
    COMMIT,
    DEPLOYMENT,
    EXCEPTION,
    LATER,
    account,
    action,
    deployment,
    execution,
    logs,
    pipeline,
    stopped,
    tasks,
)

HOOK = deployment("HOOK_EXECUTION_FAILURE", "The validation hook of AfterAllowTestTraffic reported Failed.")
TIMEOUT = deployment("TIMEOUT", "The deployment timed out while waiting for the replacement task set.")
ALARMS = "have been stopped. Activated alarms: errors-blue-dev, latency-blue-dev"
ASSUME = (
    "(service service-dev) failed to launch a task with (error ECS was unable to assume the role "
    "'arn:aws:iam::111111111111:role/execution-role-dev' that was provided for this task.)."
)


def cause_of(*answers: Mapping[tuple[str, str], Answer]) -> Cause:
    explanation = explain("dev", account(*answers))
    assert explanation.cause is not None
    return explanation.cause


def test_the_reason_of_the_hook_stands_in_its_log() -> None:
    """CodeDeploy only says that the hook reported Failed."""
    other = {"deployment": "d-OTHER", "reason": "HookError: of another deployment", "status": "Failed"}
    line = {
        "deployment": DEPLOYMENT,
        "reason": f"HookError: GET http://lb:8080/: expected 200 of version {COMMIT}, got 500",
    }
    groups: dict[str, list[Any]] = {
        "/lambda/test-traffic-hook-dev": ["START RequestId: 1", line, other],
        "/ecs/task-dev": [{"message": "Exception on /", "exception": EXCEPTION}],
    }
    cause = cause_of(HOOK, logs(groups))
    assert cause.gate == "test-traffic hook"
    assert cause.reason == (
        "GET http://lb:8080/: expected 200 of version 232e3da, got 500; "
        "the tasks' log: RuntimeError: a mistake"
    )
    assert "/lambda/test-traffic-hook-dev" in cause.log


def test_a_hook_without_a_line_has_not_run() -> None:
    cause = cause_of(HOOK)
    assert "no line about d-2PVJWUEUC" in cause.reason
    assert "enable the rule `test-traffic-hook-schedule-dev`, and retry the stage: aws codepipeline" in (
        cause.remedy
    )


@pytest.mark.parametrize(
    ("error", "reason", "section"),
    [
        ("ScanError", "the scan of the image found CVE-2026-1, CRITICAL", "A finding of the image scan"),
        ("SignatureError", "the image sha256:1 has no signature by KEY", "An image without a signature"),
        ("ApprovalError", "no approver has approved the image sha256:1", "An image that nobody approved"),
    ],
)
def test_a_reason_with_a_section_of_its_own_points_to_it(error: str, reason: str, section: str) -> None:
    line = {"deployment": DEPLOYMENT, "reason": f"{error}: {reason}"}
    cause = cause_of(HOOK, logs({"/lambda/test-traffic-hook-dev": [line]}))
    assert cause.reason == reason
    assert cause.remedy == f'see "{section}" in docs/operations.md'
    assert f"### {section}\n" in Path("docs/operations.md").read_text("utf-8")


# What Fargate says, from public issues.
NO_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
    "failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s)"
)


@pytest.mark.parametrize(
    ("task", "reason", "remedy"),
    [
        (
            stopped("Essential container in task exited", code=1),
            "task be9d0ce5 stopped: Essential container in task exited, app exit code 1; RuntimeError: a "
            "mistake",
            "read the tasks' log",
        ),
        (
            stopped("OutOfMemoryError: container killed", code=137),
            "task be9d0ce5 stopped: OutOfMemoryError: container killed, app exit code 137; RuntimeError: a "
            "mistake",
            "raise `memory`",
        ),
        (
            stopped(
                "Task failed ELB health checks in (target-group x)", stopCode="ServiceSchedulerInitiated"
            ),
            "task be9d0ce5 stopped: Task failed ELB health checks in (target-group x); RuntimeError: "
            "a mistake",
            "make the health check path answer 200",
        ),
        (
            stopped(f"{NO_SECRETS}: invalid ssm parameters: /orders-dev/API_KEY, /orders-dev/TOKEN"),
            f"task be9d0ce5 stopped: {NO_SECRETS}: invalid ssm parameters: /orders-dev/API_KEY, "
            "/orders-dev/TOKEN; RuntimeError: a mistake",
            "run `python -m operations secrets set orders-dev API_KEY`, then retry the stage",
        ),
    ],
)
def test_tasks_that_do_not_become_healthy_say_why(task: dict[str, Any], reason: str, remedy: str) -> None:
    """The exit code, and the exception of the tasks' log."""
    cause = cause_of(TIMEOUT, tasks(task), logs({"/ecs/task-dev": EXCEPTION.splitlines()}))
    assert cause.reason == reason
    assert cause.remedy.startswith(remedy)


def test_tasks_that_stopped_as_they_should_or_are_of_another_task_set_are_no_reason() -> None:
    found = tasks(
        stopped("Scaling activity initiated by (deployment)", stopCode="ServiceSchedulerInitiated"),
        stopped("Essential container in task exited", code=1, started_by="ecs-svc/1"),
    )
    assert "timed out while waiting" in cause_of(TIMEOUT, found).reason


def test_a_denied_role_stands_only_in_the_events_of_the_service() -> None:
    """No task was ever started, so there is no log."""
    events = [
        {"createdAt": BEGAN, "message": "(service service-dev) is unable to consistently start tasks"},
        {"createdAt": BEGAN, "message": ASSUME},
        {"createdAt": BEGAN, "message": "(service service-dev) has started 1 tasks: (task 1)."},
    ]
    cause = cause_of(TIMEOUT, {("ecs", "describe_services"): {"services": [{"events": events}]}})
    assert cause.reason == ASSUME
    assert cause.remedy.startswith("grant the execution role what the line names, then retry the stage: aws")


def test_an_event_of_another_time_is_no_reason() -> None:
    events = [{"createdAt": LATER.replace(year=2027), "message": ASSUME}]
    cause = cause_of(TIMEOUT, {("ecs", "describe_services"): {"services": [{"events": events}]}})
    assert "timed out while waiting" in cause.reason


def test_the_alarm_that_rolled_back_has_its_reason_and_the_exception_behind_it() -> None:
    def history(AlarmName: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        states = {"errors-blue-dev": "ALARM", "latency-blue-dev": "OK"}
        new = {"stateValue": states[AlarmName], "stateReason": "Threshold Crossed: 12 errors"}
        return {"AlarmHistoryItems": [{"Timestamp": LATER, "HistoryData": json.dumps({"newState": new})}]}

    cause = cause_of(
        deployment("ALARM_ACTIVE", ALARMS),
        {("cloudwatch", "describe_alarm_history"): history},
        logs({"/ecs/task-dev": [EXCEPTION]}),
    )
    assert cause.gate == "alarm, errors-blue-dev, latency-blue-dev"
    assert cause.reason == (
        "errors-blue-dev: Threshold Crossed: 12 errors; the tasks' log: RuntimeError: a mistake"
    )
    assert "CodeDeploy has rolled back" in cause.remedy


def test_an_alarm_before_the_deployment_began_points_to_its_section() -> None:
    none: dict[tuple[str, str], Answer] = {("codedeploy", "list_deployment_targets"): {"targetIds": []}}
    history: dict[tuple[str, str], Answer] = {
        ("cloudwatch", "describe_alarm_history"): {"AlarmHistoryItems": []}
    }
    cause = cause_of(deployment("ALARM_ACTIVE", ALARMS), none, history)
    assert "Activated alarms: errors-blue-dev" in cause.reason
    assert "Deploying a fix while an alarm is active" in cause.remedy


def test_any_other_error_has_the_lifecycle_event_in_which_it_happened() -> None:
    message = "The ELB could not be updated: the target group must be behind listener arn:x"
    cause = cause_of(deployment("ELASTIC_LOAD_BALANCING_INVALID", message))
    assert cause.gate == "Install"
    assert cause.reason == f"ELASTIC_LOAD_BALANCING_INVALID: {message}"
    assert cause.remedy == "run `python -m operations drift dev`"


def test_an_action_that_made_no_deployment_has_its_own_message() -> None:
    text = "Exception while trying to read the task definition artifact file from: Built"
    cause = cause_of(pipeline([execution("Failed")], [action("Deploy", "CodeDeployToECS", text=text)]))
    assert (cause.reason, cause.remedy) == (text, "correct `artifacts` in `buildspec.yml`")


def test_a_promotion_is_looked_for_under_the_names_of_its_target() -> None:
    given = {"configuration": {"ApplicationName": "application-staging"}}
    found = action("Promote-staging", "CodeDeployToECS", external=DEPLOYMENT, input=given)
    line = {"deployment": DEPLOYMENT, "reason": "HookError: of staging"}
    cause = cause_of(
        HOOK,
        pipeline([execution("Failed")], [found]),
        logs({"/lambda/test-traffic-hook-staging": [line]}),
    )
    assert cause.reason == "of staging"


def test_a_promotion_to_another_account_says_where_to_look() -> None:
    """Its deployment cannot be read with the credentials of the pipeline's account."""
    role = "arn:aws:iam::222222222222:role/cross-account-role-staging"
    given = {"roleArn": role, "configuration": {"ApplicationName": "application-staging"}}
    found = action(
        "Promote-staging", "CodeDeployToECS", external=DEPLOYMENT, text="Deployment failed", input=given
    )
    cause = cause_of(pipeline([execution("Failed")], [found]))
    assert cause.reason == "Deployment failed"
    assert "with credentials of account 222222222222" in cause.remedy
    assert cause.remedy.endswith("aws deploy get-deployment --deployment-id d-2PVJWUEUC")
