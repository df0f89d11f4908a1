"""`operations rollback`: which version it goes back to, how, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import __main__ as command
from unit_tests.operations.account_fakes import Answer, FakeAccount, named, refusing

Answers = dict[tuple[str, str], Answer]
NEW, OLD, OLDEST = (letter * 40 for letter in "cba")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOST = "111111111111.dkr.ecr.us-east-1.amazonaws.com"


def image(commit: str) -> str:
    return f"{HOST}/images-dev@sha256:{commit[0] * 64}"


def execution(commit: str, status: str = "Succeeded", **more: Any) -> dict[str, Any]:
    return {
        "pipelineExecutionId": f"e-{commit[0]}",
        "status": status,
        "executionType": "STANDARD",
        "sourceRevisions": [{"revisionId": commit, "revisionSummary": f"Greet [/] {commit[0]}\n\nMore.\n"}],
        "lastUpdateTime": NOW - timedelta(hours=ord("z") - ord(commit[0])),
        **more,
    }


def rollback_of(commit: str) -> dict[str, Any]:
    """Return the execution of an earlier rollback."""
    metadata = {"rollbackTargetPipelineExecutionId": f"e-{commit[0]}"}
    return execution(
        commit, pipelineExecutionId="e-back", executionType="ROLLBACK", rollbackMetadata=metadata
    )


def build(commit: str) -> dict[str, Any]:
    place = {"bucket": "artifacts-dev", "key": f"pipeline-dev/BuildOutpu/{commit[0]}"}
    output = {"outputVariables": {"IMAGE_URI": image(commit)}, "outputArtifacts": [{"s3location": place}]}
    return {
        "pipelineExecutionId": f"e-{commit[0]}",
        "stageName": "Build",
        "actionName": "Build",
        "output": output,
    }


def released(*executions: dict[str, Any], **answers: Answer) -> Answers:
    """Return the answers about these executions, the newest first, of which no image has expired."""
    succeeded = [one for one in executions if one["status"] == "Succeeded"]

    def listed(**arguments: Any) -> dict[str, Any]:
        if "filter" in arguments:
            assert arguments["filter"] == {"succeededInStage": {"stageName": "Deploy"}}
            return {"pipelineExecutionSummaries": succeeded}
        return {"pipelineExecutionSummaries": list(executions)}

    builds = [build(one["sourceRevisions"][0]["revisionId"]) for one in executions]
    group = {"alarmConfiguration": {"enabled": True, "alarms": [{"name": "errors-blue-dev"}]}}
    found: Answers = {
        ("codepipeline", "list_pipeline_executions"): listed,
        ("codepipeline", "list_action_executions"): {"actionExecutionDetails": builds},
        ("codepipeline", "get_pipeline_state"): {"stageStates": []},
        ("codepipeline", "rollback_stage"): {"pipelineExecutionId": "e-new"},
        ("codepipeline", "get_pipeline_execution"): {"pipelineExecution": {"status": "Succeeded"}},
        ("codedeploy", "list_deployments"): {"deployments": []},
        ("codedeploy", "get_deployment_group"): {"deploymentGroupInfo": group},
        ("cloudwatch", "describe_alarms"): {"MetricAlarms": []},
        ("ecr", "batch_get_image"): {"failures": []},
        ("s3", "head_object"): {},
        ("sts", "get_caller_identity"): {"Account": "111111111111"},
    }
    return found | named(**answers)


THREE = (execution(NEW), execution(OLD), execution(OLDEST))
Run = Callable[..., tuple[int, str, FakeAccount]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; return its exit code, what it printed, and the account."""

    def run(answers: Answers, *words: str) -> tuple[int, str, FakeAccount]:
        account = FakeAccount(answers)
        monkeypatch.setattr(command, "Account", lambda: account)
        code = command.main(["rollback", "dev", *words])
        said = capsys.readouterr()
        return code, said.out + said.err, account

    return run


def target_of(account: FakeAccount) -> str:
    """Return the execution that was rolled back to, or ""."""
    asked = [given for _, operation, given in account.asked if operation == "rollback_stage"]
    return str(asked[0]["targetPipelineExecutionId"]) if asked else ""


def test_it_releases_the_version_before_again(run: Run) -> None:
    code, said, account = run(released(*THREE))
    assert (code, target_of(account)) == (0, "e-b")
    assert said.splitlines()[-1] == "bbbbbbb (Greet [/] b) answers alone"


def test_after_a_rollback_the_version_before_that_one_is_next(run: Run) -> None:
    _, _, account = run(released(rollback_of(OLD), *THREE))
    assert target_of(account) == "e-a"


@pytest.mark.parametrize("given", ["aaaaaaa", OLDEST, "e-a"])
def test_a_version_can_be_named_by_its_commit_or_its_execution(run: Run, given: str) -> None:
    _, _, account = run(released(*THREE), "--to", given)
    assert target_of(account) == "e-a"


def test_a_version_whose_image_has_expired_is_passed_over(run: Run) -> None:
    gone = {"failures": [{"imageId": {"imageDigest": image(OLD).partition("@")[2]}}]}
    answers = released(*THREE, ecr__batch_get_image=gone)
    assert target_of(run(answers)[2]) == "e-a"
    code, said, account = run(answers, "--to", OLD)
    assert (code, target_of(account)) == (2, "")
    assert "cannot be released again, because its image has expired" in said


def test_a_version_whose_artifacts_have_expired_is_refused(run: Run) -> None:
    code, said, account = run(released(*THREE, s3__head_object=refusing("404")))
    assert (code, target_of(account)) == (2, "")
    assert "no earlier version that it can release again" in said


def test_the_live_version_and_an_unknown_one_are_refused(run: Run) -> None:
    assert run(released(*THREE), "--to", NEW)[:2] == (
        2,
        "operations: ccccccc (Greet [/] c) is live already\n",
    )
    code, said, _ = run(released(*THREE), "--to", "fffffff")
    assert (code, "--list prints them" in said) == (2, True)


def test_an_execution_on_its_way_is_refused_because_it_would_undo_the_rollback(run: Run) -> None:
    code, said, account = run(released(execution("d" * 40, "InProgress"), *THREE))
    assert (code, target_of(account)) == (2, "")
    assert "the execution e-d of commit ddddddd is in progress" in said


def test_an_execution_that_waits_for_the_approval_of_a_promotion_is_none_on_its_way(run: Run) -> None:
    waiting = execution(NEW, "InProgress")
    answers = released(waiting, execution(OLD), execution(OLDEST))
    listed = answers["codepipeline", "list_pipeline_executions"]

    def both(**arguments: Any) -> dict[str, Any]:
        assert callable(listed)
        found = listed(**arguments)["pipelineExecutionSummaries"]
        return {"pipelineExecutionSummaries": [waiting, *found] if "filter" in arguments else found}

    answers["codepipeline", "list_pipeline_executions"] = both
    assert target_of(run(answers)[2]) == "e-b"


def test_an_alarm_that_would_stop_the_deployment_is_told_before(run: Run) -> None:
    alarm = {"MetricAlarms": [{"AlarmName": "errors-blue-dev"}]}
    code, said, account = run(released(*THREE, cloudwatch__describe_alarms=alarm))
    assert (code, target_of(account)) == (2, "")
    assert "errors-blue-dev in ALARM would stop the deployment" in said


def test_what_codepipeline_refuses_is_one_line(run: Run) -> None:
    def refuse(**_arguments: Any) -> dict[str, Any]:
        error = {"Code": "UnableToRollbackStageException", "Message": "Unable to roll back stage Deploy"}
        raise ClientError({"Error": error}, "RollbackStage")

    code, said, _ = run(released(*THREE, codepipeline__rollback_stage=refuse))
    assert code == 2
    assert said == (
        "operations: CodePipeline does not go back to bbbbbbb (Greet [/] b): "
        "Unable to roll back stage Deploy\n"
    )


def test_a_rollback_that_fails_is_a_finding(run: Run) -> None:
    failed: Answer = {"pipelineExecution": {"status": "Failed"}}
    code, said, _ = run(released(*THREE, codepipeline__get_pipeline_execution=failed))
    assert code == 1
    assert said.splitlines()[-1] == "the rollback has failed: python -m operations why dev"


def test_a_dry_run_changes_nothing(run: Run) -> None:
    code, said, account = run(released(*THREE), "--dry-run")
    assert (code, target_of(account)) == (0, "")
    assert said == f"would release bbbbbbb (Greet [/] b) again, with {image(OLD)}\n"


def test_the_list_says_what_is_live_and_what_can_be_released_again(run: Run) -> None:
    gone = {"failures": [{"imageId": {"imageDigest": image(OLDEST).partition("@")[2]}}]}
    answers = released(*THREE, ecr__batch_get_image=gone)
    found = json.loads(run(answers, "--list", "--json")[1])
    assert [(one["commit"], one["is_live"], one["obstacle"]) for one in found] == [
        (NEW, True, ""),
        (OLD, False, ""),
        (OLDEST, False, "its image has expired"),
    ]
    code, said, account = run(answers, "--list")
    assert (code, target_of(account)) == (0, "")
    assert all(text in said for text in ("Greet [/] c", "live", "yes", "no: its image has expired"))


def in_progress(creator: str = "user", rollback: str = "Succeeded") -> dict[str, Answer]:
    """Return the answers about a deployment that replaces the tasks of the live version."""
    stopped: list[str] = []

    def stop(**arguments: Any) -> dict[str, Any]:
        assert arguments == {"deploymentId": "d-1", "autoRollbackEnabled": True}
        stopped.append("d-1")
        return {}

    def described(**arguments: Any) -> dict[str, Any]:
        if arguments["deploymentId"] == "d-2":
            return {"deploymentInfo": {"status": rollback}}
        info: dict[str, Any] = {"status": "Stopped" if stopped else "InProgress", "creator": creator}
        if stopped:
            info["rollbackInfo"] = {"rollbackDeploymentId": "d-2"}
        return {"deploymentInfo": info}

    return {
        "codedeploy__list_deployments": {"deployments": ["d-1"]},
        "codedeploy__stop_deployment": stop,
        "codedeploy__get_deployment": described,
    }


def test_while_the_tasks_of_the_version_before_stand_the_deployment_is_stopped(run: Run) -> None:
    code, said, account = run(released(execution(OLD), execution(OLDEST), **in_progress()))
    assert (code, target_of(account)) == (0, "")
    assert "stop_deployment" in account.operations
    assert said.splitlines() == [
        "stopping d-1: the tasks of bbbbbbb (Greet [/] b) still stand",
        "bbbbbbb (Greet [/] b) answers alone",
    ]


def test_a_newer_commit_that_is_released_next_is_named(run: Run) -> None:
    waiting = execution("d" * 40, "InProgress")
    said = run(released(waiting, execution(OLD), **in_progress()))[1]
    assert "the execution e-d of commit ddddddd is released next" in said


def test_a_deployment_in_progress_only_goes_back_to_the_version_before(run: Run) -> None:
    code, said, account = run(released(execution(OLD), execution(OLDEST), **in_progress()), "--to", OLDEST)
    assert (code, "stop_deployment" in account.operations) == (2, False)
    assert "can only go back to bbbbbbb" in said
    code, said, account = run(released(execution(OLD), **in_progress()), "--to", OLD, "--dry-run")
    assert (code, "stop_deployment" in account.operations) == (0, False)
    assert said == "would stop d-1, so that bbbbbbb (Greet [/] b) answers alone\n"


def test_a_deployment_that_is_a_rollback_is_not_stopped(run: Run) -> None:
    code, said, account = run(released(execution(OLD), **in_progress("codeDeployRollback")))
    assert (code, "stop_deployment" in account.operations) == (2, False)
    assert "d-1 is a rollback already" in said


def test_a_rollback_of_a_deployment_that_fails_is_told(run: Run) -> None:
    code, said, _ = run(released(execution(OLD), **in_progress(rollback="Failed")))
    assert code == 2
    assert "the rollback d-2 of d-1 is Failed" in said


def test_a_promotion_rolls_back_its_stage_which_asks_for_an_approval(run: Run) -> None:
    answers = released(*THREE, codepipeline__list_pipeline_executions={"pipelineExecutionSummaries": THREE})
    code, said, account = run(answers, "--promotion", "prod")
    assert code == 0
    (given,) = [given for _, operation, given in account.asked if operation == "rollback_stage"]
    assert given["stageName"] == "Promote-prod"
    assert said.splitlines()[-2:] == [
        "Promote-prod waits for an approval, as it does for each release; with approvers, one of them runs:",
        f"python -m operations approve prod --from dev@111111111111 --commit {OLD}",
    ]


@pytest.mark.parametrize(
    ("code", "advice"),
    [("PipelineNotFoundException", "there is no pipeline-dev"), ("StageNotFoundException", "--promotion")],
)
def test_a_pipeline_or_a_stage_that_is_not_there_is_one_line(run: Run, code: str, advice: str) -> None:
    exit_code, said, _ = run(released(*THREE, codepipeline__list_pipeline_executions=refusing(code)))
    assert (exit_code, advice in said, said.count("\n")) == (2, True, 1)
