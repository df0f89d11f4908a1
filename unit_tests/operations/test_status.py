"""`operations status`: what it shows of one environment and of many, what is a finding, how often it asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from operations import __main__ as command
from operations import listener_drift, status
from operations.errors import OperationsError
from operations.listener_drift import Listener, Traffic
from unit_tests.operations.account_fakes import Answer, FakeAccount, named, refusing

NOW = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
COMMIT = "b" * 40
Answers = dict[tuple[str, str], Answer]
Run = Callable[..., tuple[int, str, FakeAccount]]


def stack(suffix: str, service: str = "sample-service", **more: Any) -> dict[str, Any]:
    tags = {"project": "python-service-pipeline", "environment": suffix, "service": service}
    return {
        "StackName": f"stack-{suffix}",
        "StackId": f"arn:stack-{suffix}",
        "StackStatus": "UPDATE_COMPLETE",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        **more,
    }


def execution(status: str = "Succeeded", commit: str = COMMIT, subject: str = "Greet") -> dict[str, Any]:
    stopped = {"stopTrigger": {"reason": "the wrong one"}} if status == "Stopped" else {}
    return {
        **stopped,
        "pipelineExecutionId": f"e-{commit[0]}",
        "status": status,
        "sourceRevisions": [{"revisionId": commit, "revisionSummary": f"{subject}\n"}],
        "lastUpdateTime": NOW,
    }


def action(provider: str, stage: str, status: str) -> dict[str, Any]:
    kind = {"actionTypeId": {"provider": provider}}
    return {"stageName": stage, "actionName": stage, "status": status, "startTime": NOW, "input": kind}


def answers(*stacks: dict[str, Any], newest: dict[str, Any] | None = None, **more: Answer) -> Answers:
    """Return the answers about environments, each of which has released `COMMIT`."""

    def executions(**asked: Any) -> dict[str, Any]:
        older = [execution()] if "filter" in asked else [newest or execution(), execution()]
        return {"pipelineExecutionSummaries": older}

    found: Answers = {
        ("cloudformation", "describe_stacks"): {"Stacks": list(stacks)},
        ("cloudwatch", "describe_alarms"): {"MetricAlarms": []},
        ("codepipeline", "list_pipeline_executions"): executions,
        ("codecommit", "get_commit"): {"commit": {"author": {"name": "Mary"}}},
        ("sts", "get_caller_identity"): {"Account": "111111111111"},
    }
    return found | named(**more)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command with JSON; return its exit code, what it printed, and the account."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(given: Answers, *words: str) -> tuple[int, str, FakeAccount]:
        account = FakeAccount(given)
        monkeypatch.setattr(command, "Account", lambda: account)
        code = command.main(["status", *words])
        said = capsys.readouterr()
        return code, said.out + said.err, account

    return run


def test_it_shows_what_every_environment_runs(run: Run) -> None:
    code, said, _ = run(answers(stack("dev"), stack("orders-prod", "orders")))
    assert code == 0
    for text in ("dev", "orders-prod", "orders", "bbbbbbb Greet", "2026-11-27 12:30", "Mary"):
        assert text in said


def test_fifty_environments_take_three_calls_each_and_two_for_all(run: Run) -> None:
    _, said, account = run(answers(*[stack(f"e{number}") for number in range(50)]), "--json")
    assert len(json.loads(said)) == 50
    asked = Counter(account.operations)
    assert asked == {
        "describe_stacks": 1,
        "describe_alarms": 1,
        "list_pipeline_executions": 100,
        "get_commit": 50,
    }


def test_the_nested_stacks_have_the_tags_and_the_root_stack_is_the_environment(run: Run) -> None:
    """As the CDK deploys them; a nested stack has no row of its own."""
    root = {
        "StackName": "stack-dev",
        "StackId": "arn:root",
        "StackStatus": "UPDATE_ROLLBACK_COMPLETE",
        "Tags": [],
    }
    nested = [
        stack("dev", "orders", StackName=f"stack-dev-{name}-1A2B", StackId=f"arn:{name}", RootId="arn:root")
        for name in ("Network", "Compute")
    ]
    _, said, _ = run(answers(root, *nested), "--json")
    (found,) = json.loads(said)
    assert (found["suffix"], found["service"]) == ("dev", "orders")
    assert found["stack_status"] == "UPDATE_ROLLBACK_COMPLETE"


def test_stacks_of_others_are_no_environments(run: Run) -> None:
    foreign = {"StackName": "stack-dev", "StackId": "arn:foreign", "StackStatus": "CREATE_COMPLETE"}
    code, said, _ = run(answers(foreign))
    assert (code, said) == (0, "account 111111111111 has no environment in us-east-1\n")


@pytest.mark.parametrize(
    ("status", "provider", "stage", "run_status", "text", "code"),
    [
        ("Failed", "CodeBuild", "Build", "Failed", "ccccccc failed in Build", 1),
        ("InProgress", "CodeBuild", "Build", "InProgress", "ccccccc is running in Build", 0),
        ("InProgress", "Manual", "Promote-prod", "InProgress", "waits for an approval in Promote-prod", 0),
        ("Superseded", "CodeBuild", "Build", "Succeeded", "ccccccc was superseded by a newer one", 0),
        # A person stopped it: what was running then may have failed, and is no finding.
        ("Stopped", "CodeBuild", "Build", "Failed", "ccccccc was stopped: the wrong one", 0),
    ],
)
def test_the_newest_release_is_told_beside_the_version_that_is_live(
    run: Run, status: str, provider: str, stage: str, run_status: str, text: str, code: int
) -> None:
    actions: Answer = {"actionExecutionDetails": [action(provider, stage, run_status)]}
    given = answers(
        stack("dev"), newest=execution(status, "c" * 40), codepipeline__list_action_executions=actions
    )
    found, said, _ = run(given)
    assert (found, text in said, "bbbbbbb Greet" in said) == (code, True, True)


def test_an_alarm_is_a_finding_of_its_own_environment(run: Run) -> None:
    alarms: Answer = {
        "MetricAlarms": [{"AlarmName": "errors-blue-dev"}, {"AlarmName": "errors-blue-orders-dev"}]
    }
    given = answers(stack("dev"), stack("orders-dev"), stack("prod"), cloudwatch__describe_alarms=alarms)
    code, said, _ = run(given, "--json")
    assert code == 1
    found = {each["suffix"]: each["alarms"] for each in json.loads(said)}
    assert found == {"dev": ["errors-blue-dev"], "orders-dev": ["errors-blue-orders-dev"], "prod": []}


def test_an_alarm_that_scales_the_service_is_no_finding(run: Run) -> None:
    name = "TargetTracking-service/cluster-dev/service-dev-AlarmLow-1"
    given = answers(stack("dev"), cloudwatch__describe_alarms={"MetricAlarms": [{"AlarmName": name}]})
    code, said, _ = run(given, "--json")
    assert (code, json.loads(said)[0]["alarms"]) == (0, [])


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"DriftInformation": {"StackDriftStatus": "DRIFTED"}}, "the stack has drifted"),
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}, "the stack is UPDATE_ROLLBACK_COMPLETE"),
    ],
)
def test_a_stack_that_has_drifted_or_was_rolled_back_is_a_finding(
    run: Run, more: dict[str, Any], text: str
) -> None:
    code, said, _ = run(answers(stack("dev", **more)))
    assert (code, text in said) == (1, True)


def test_an_environment_whose_pipeline_is_missing_is_listed(run: Run) -> None:
    given = answers(
        stack("dev", StackStatus="CREATE_FAILED"),
        codepipeline__list_pipeline_executions=refusing("PipelineNotFoundException"),
    )
    code, said, _ = run(given)
    assert code == 1
    assert "there is no pipeline-dev" in said
    assert "the stack is CREATE_FAILED" in said


def test_a_commit_that_the_repository_no_longer_has_has_no_author(run: Run) -> None:
    given = answers(stack("dev"), codecommit__get_commit=refusing("CommitIdDoesNotExistException"))
    assert json.loads(run(given, "--json")[1])[0]["author"] == ""


def test_one_environment_has_the_reason_of_its_failure_and_the_drift_of_its_listeners(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener("production", "arn:listener", "HTTP:80", [], {"arn:green": 100.0})
    traffic = Traffic("dev", "ecs-svc/1", "arn:blue", {"arn:blue": "blue-dev"}, [listener], 1, 1)
    monkeypatch.setattr(listener_drift, "inspect", lambda *_: traffic)
    rejected = action("Manual", "Promote-prod", "Failed")
    rejected["output"] = {"executionResult": {"externalExecutionSummary": "too early"}}
    given = answers(
        stack("dev"),
        newest=execution("Failed", "c" * 40),
        codepipeline__list_action_executions={"actionExecutionDetails": [rejected]},
        codedeploy__list_deployments={"deployments": []},
        logs__filter_log_events={"events": []},
    )
    code, said, _ = run(given, "dev", "--json")
    assert code == 1
    (found,) = json.loads(said)
    assert found["release"] == "ccccccc failed in Promote-prod"
    assert found["drift"] == ["the production listener"]
    _, said, _ = run(given, "dev")
    assert found["explanation"] == said.splitlines()[-len(found["explanation"]) :], "below the table"
    assert "why: too early" in found["explanation"]


def test_a_subject_that_looks_like_markup_is_shown_as_it_is(run: Run) -> None:
    given = answers(
        stack("dev"),
        codepipeline__list_pipeline_executions={
            "pipelineExecutionSummaries": [execution(subject="Close [/tmp]")]
        },
    )
    code, said, _ = run(given)
    assert (code, "Close [/tmp]" in said) == (0, True)


def test_an_environment_that_is_not_there_is_one_line(run: Run) -> None:
    code, said, _ = run(answers(stack("dev")), "prod")
    assert (code, said.count("\n")) == (2, 1)
    assert "there is no environment prod in account 111111111111" in said


def test_an_error_of_aws_is_not_swallowed(run: Run) -> None:
    given = answers(stack("dev"), codecommit__get_commit=refusing("AccessDeniedException"))
    assert run(given)[0] == 2
    with pytest.raises(OperationsError):
        status.one(FakeAccount(given), "prod")
