"""Which release is explained, and what is said of one that has not failed."""

from __future__ import annotations

import json

import pytest

from operations import __main__ as command
from operations.errors import OperationsError
from operations.why import explain
from unit_tests.operations.account_fakes import refusing
from unit_tests.operations.why.release_answers import (
    BEGAN,
    DEPLOYMENT,
    LATER,
    Answers,
    account,
    action,
    deployment,
    execution,
    pipeline,
    stopped,
    tasks,
)

BUILD_ID = "test-dev:1"


def build(*lines: str, reports: list[str] | None = None, **phase: object) -> Answers:
    """Return a build that has failed, with its log and its reports."""
    found = {
        "id": BUILD_ID,
        "buildStatus": "FAILED",
        "phases": [{"phaseType": "INSTALL", "phaseStatus": "SUCCEEDED"}, {"phaseType": "BUILD", **phase}],
        "logs": {"groupName": "/codebuild/test-dev", "streamName": "1"} if lines else {},
        "reportArns": reports or [],
    }
    events = [{"message": line} for line in lines]
    return {
        **pipeline(
            [execution("Failed")], [action("Build", "CodeBuild", external=BUILD_ID, actionName="Test")]
        ),
        ("codebuild", "batch_get_builds"): {"builds": [found]},
        ("logs", "filter_log_events"): {"events": events},
    }


def cases(reportArn: str, filter: dict[str, str]) -> dict[str, object]:  # noqa: A002, N803 - boto3's own names
    failed = [{"name": "test_a", "prefix": "tests.test_b", "message": "assert 1 == 2\n + where"}]
    return {"testCases": failed if filter["status"] == "FAILED" else []}


def test_a_build_that_failed_is_explained_by_its_report() -> None:
    log = ["[Container] 1 2 Running command # Run the unit tests", "python -m pytest", "1 failed"]
    log += ["[Container] 1 2 Command did not exit successfully # Run the unit tests", "python -m pytest"]
    answers = {**build(*log, reports=["arn:report"]), ("codebuild", "describe_test_cases"): cases}
    assert explain("dev", account(answers)).lines == (
        'dev: release 232e3da "Greet" failed in Build (Test): Run the unit tests',
        "why: test_a (tests.test_b): assert 1 == 2",
        "do:  fix the code and push",
        "log: aws logs filter-log-events --log-group-name /codebuild/test-dev --log-stream-names 1 "
        "--query 'events[].message' --output text",
    )


def test_a_build_without_a_log_is_explained_by_its_phase() -> None:
    context = {"statusCode": "YAML_FILE_ERROR", "message": "expected a string"}
    cause = explain("dev", account(build(phaseStatus="FAILED", contexts=[context]))).cause
    assert cause is not None
    assert (cause.gate, cause.reason) == ("BUILD", "YAML_FILE_ERROR: expected a string")
    assert cause.remedy == "quote the command"


def test_a_build_that_is_gone_is_explained_by_its_action() -> None:
    runs = [action("Build", "CodeBuild", external=BUILD_ID, text="Build terminated with state: FAILED")]
    gone = {("codebuild", "batch_get_builds"): {"builds": [], "buildsNotFound": [BUILD_ID]}}
    cause = explain("dev", account(pipeline([execution("Failed")], runs), gone)).cause
    assert cause is not None
    assert cause.reason == "Build terminated with state: FAILED"
    assert cause.remedy == 'see "The stage Build failed" in docs/operations.md'


def test_the_last_run_of_an_action_counts() -> None:
    """A stage was retried: its first run has failed, and the second one has not."""
    runs = [
        action("Deploy", "CodeDeployToECS", "Failed", text="the second", startTime=LATER),
        action("Build", "CodeBuild", "Succeeded", startTime=LATER),
        action("Build", "CodeBuild", "Failed", text="the first", startTime=BEGAN),
    ]
    explanation = explain("dev", account(pipeline([execution("Failed")], runs)))
    assert explanation.cause is not None
    assert (explanation.action, explanation.cause.reason) == ("Deploy", "the second")


def test_a_rejected_approval_says_who_and_why() -> None:
    who = "arn:aws:sts::111111111111:assumed-role/approver/jo"
    runs = [action("Promote-staging", "Manual", text="not on a Friday", updatedBy=who)]
    cause = explain("dev", account(pipeline([execution("Failed")], runs))).cause
    assert cause is not None
    assert cause.reason == "rejected by assumed-role/approver/jo: not on a Friday"
    assert "retry the stage: aws codepipeline retry-stage-execution" in cause.remedy
    assert "--stage-name Promote-staging --pipeline-execution-id e-1" in cause.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("No branch named main", "push the branch again"), ("Access denied", "retry the stage: aws")],
)
def test_a_source_that_failed_has_its_message(text: str, remedy: str) -> None:
    runs = [action("Source", "CodeCommit", text=text)]
    cause = explain("dev", account(pipeline([execution("Failed")], runs))).cause
    assert cause is not None
    assert cause.reason == text
    assert cause.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("status", "said"),
    [("Succeeded", "has succeeded"), ("Superseded", "was superseded by a newer one")],
)
def test_a_release_that_has_not_failed_is_no_finding(status: str, said: str) -> None:
    explanation = explain("dev", account(pipeline([execution(status)], [])))
    assert explanation.lines == (f'dev: release 232e3da "Greet" {said}',)
    assert not explanation.has_failed


def test_a_release_that_was_stopped_has_the_reason_of_who_stopped_it() -> None:
    stopped_ = execution("Stopped", stopTrigger={"reason": "the wrong one"})
    # CodePipeline lets the action that runs end, which may fail: the release was stopped nevertheless.
    explanation = explain("dev", account(pipeline([stopped_], [action("Build", "CodeBuild", text="red")])))
    (line,) = explanation.lines
    assert line.endswith("was stopped: the wrong one")
    assert not explanation.has_failed


def test_a_release_that_waits_for_an_approval_says_so() -> None:
    runs = [action("Promote-staging", "Manual", "InProgress", actionName="Approve-staging")]
    (line,) = explain("dev", account(pipeline([execution("InProgress")], runs))).lines
    assert line.endswith("waits for an approval in Promote-staging (Approve-staging)")


def test_a_release_that_runs_says_why_its_tasks_do_not_start() -> None:
    """CodeDeploy waits for them for an hour, and says nothing meanwhile."""
    runs = [action("Deploy", "CodeDeployToECS", "InProgress", external=DEPLOYMENT)]
    running = {**deployment("", ""), **pipeline([execution("InProgress")], runs)}
    assert not explain("dev", account(running)).has_failed
    answers = {**running, **tasks(stopped("CannotPullContainerError: denied"))}
    first, reason, *_ = explain("dev", account(answers)).lines
    assert first.endswith("is running in Deploy: tasks")
    assert reason == "why: task be9d0ce5 stopped: CannotPullContainerError: denied"


def test_an_older_execution_is_explained_by_its_id() -> None:
    runs = [action("Source", "CodeCommit", text="No branch named main")]
    found = pipeline([execution("Succeeded", "e-2"), execution("Failed", "e-1")], runs)
    assert explain("dev", account(found), "e-1").has_failed
    with pytest.raises(OperationsError, match="pipeline-dev has no execution e-3"):
        explain("dev", account(found), "e-3")


def test_without_an_execution_or_a_pipeline_there_is_no_release() -> None:
    none = explain("dev", account(pipeline([], [])))
    assert (none.has_failed, none.lines) == (False, ("dev: the pipeline has had no execution",))
    gone = {("codepipeline", "list_pipeline_executions"): refusing("PipelineNotFoundException")}
    with pytest.raises(OperationsError, match="there is no pipeline-dev in account 111111111111"):
        explain("dev", account(pipeline([], []), gone))


@pytest.mark.parametrize(("status", "code"), [("Succeeded", 0), ("Failed", 1)])
def test_the_command_ends_with_one_for_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    answers = pipeline(
        [execution(status)], [action("Source", "CodeCommit", status, text="No branch named main")]
    )
    monkeypatch.setattr(command, "Account", lambda: account(answers))
    assert command.main(["why", "dev"]) == code
    assert capsys.readouterr().out.startswith('dev: release 232e3da "Greet" ')
    assert command.main(["why", "dev", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["status"] == status


def before_deploy(execution_status: str, **stage: object) -> Answers:
    """Return a release that has not entered the stage Deploy."""
    runs = [action("Build", "CodeBuild", "Succeeded")]
    state = {"stageStates": [{"stageName": "Deploy", **stage}]}
    return {
        **pipeline([execution(execution_status)], runs),
        ("codepipeline", "get_pipeline_state"): state,
    }


def test_a_release_that_waits_for_the_deployment_window_says_so() -> None:
    found = explain(
        "dev",
        account(
            before_deploy(
                "InProgress",
                latestExecution={"pipelineExecutionId": "e-1"},
                beforeEntryConditionState={"latestExecution": {"status": "InProgress"}},
            )
        ),
    )
    assert found.lines == ('dev: release 232e3da "Greet" waits before Deploy for the deployment window',)
    assert not found.has_failed


def test_a_release_that_was_not_let_in_says_what_to_do() -> None:
    found = explain(
        "dev",
        account(
            before_deploy(
                "Failed",
                latestExecution={"pipelineExecutionId": "e-1"},
                beforeEntryConditionState={"latestExecution": {"status": "Failed"}},
            )
        ),
    )
    assert found.lines[0] == ('dev: release 232e3da "Greet" was not let into Deploy: the deployment window')
    assert "retry the stage in the window, or retry the stage and open break-glass" in found.lines[2]


def test_a_release_that_waits_for_the_end_of_a_freeze_says_why() -> None:
    found = explain(
        "dev",
        account(
            before_deploy(
                "InProgress",
                inboundExecution={"pipelineExecutionId": "e-1"},
                inboundTransitionState={"enabled": False, "disabledReason": "until 7 January"},
            )
        ),
    )
    assert found.lines == (
        'dev: release 232e3da "Greet" waits before Deploy, which nothing enters: until 7 January',
    )
