"""How an environment is taken down."""

from pathlib import Path
from typing import Any

import pytest
from account_fakes import FakeAccount, refusing

from operations import destroy as destroying
from operations.errors import OperationsError
from operations.stopping import stop_everything


def at_rest() -> dict[tuple[str, str], Any]:
    """Answers of an environment in which nothing runs and nothing remains."""
    return {
        ("codepipeline", "disable_stage_transition"): {},
        ("codepipeline", "list_pipeline_executions"): {"pipelineExecutionSummaries": []},
        ("codebuild", "list_builds_for_project"): {"ids": []},
        ("codedeploy", "list_deployments"): {"deployments": []},
        ("ecs", "list_task_definitions"): {"taskDefinitionArns": []},
        ("ecs", "deregister_task_definition"): {},
        ("ecs", "delete_task_definitions"): {},
        ("ssm", "describe_parameters"): {"Parameters": []},
        ("ssm", "delete_parameter"): {},
        ("logs", "describe_log_groups"): {"logGroups": []},
        ("codebuild", "list_projects"): {"projects": []},
        ("codebuild", "list_report_groups"): {"reportGroups": []},
        ("codebuild", "delete_report_group"): {},
    }


class Running:
    """A deployment that runs until it is stopped."""

    def __init__(self) -> None:
        self.stopped = False

    def answers(self) -> dict[tuple[str, str], Any]:
        def stop(**_: Any) -> dict[str, Any]:
            self.stopped = True
            return {}

        def deployments(**_: Any) -> dict[str, Any]:
            return {"deployments": [] if self.stopped else ["d-1"]}

        return {
            **at_rest(),
            ("codedeploy", "list_deployments"): deployments,
            ("codedeploy", "stop_deployment"): stop,
        }


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A `cdk` that writes down how it was called, and ends as the file `code` beside it says."""
    program = tmp_path / "cdk"
    program.write_text('#!/bin/sh\necho "$@" > "$0.called"\nexit $(cat "$0.code" 2>/dev/null || echo 0)\n')
    program.chmod(0o755)
    monkeypatch.setattr(destroying, "CDK", program)
    return program


def test_a_running_deployment_is_stopped_before_the_stack_is_deleted(cdk: Path) -> None:
    running = Running()
    account = FakeAccount(running.answers())
    destroying.destroy("dev", account, lambda _: None)
    assert running.stopped
    assert "destroy --force" in Path(f"{cdk}.called").read_text()
    assert account.operations.index("disable_stage_transition") < account.operations.index("stop_deployment")


def test_a_dry_run_says_what_it_would_do_and_does_nothing(cdk: Path) -> None:
    running = Running()
    account = FakeAccount(running.answers())
    said: list[str] = []
    destroying.destroy("dev", account, said.append, dry_run=True)
    assert "would stop deployment d-1" in said
    assert not running.stopped
    assert not Path(f"{cdk}.called").exists()
    assert not [name for name in account.operations if not name.startswith(("list_", "describe_"))]


def test_what_is_gone_already_is_no_obstacle(cdk: Path) -> None:
    account = FakeAccount(
        {
            **at_rest(),
            ("codepipeline", "disable_stage_transition"): refusing("PipelineNotFoundException"),
            ("codepipeline", "list_pipeline_executions"): refusing("PipelineNotFoundException"),
            ("codebuild", "list_builds_for_project"): refusing("ResourceNotFoundException"),
            ("codedeploy", "list_deployments"): refusing("ApplicationDoesNotExistException"),
        }
    )
    destroying.destroy("dev", account, lambda _: None)
    assert Path(f"{cdk}.called").exists()


def test_a_deployment_that_ends_by_itself_meanwhile_is_no_obstacle() -> None:
    lists = iter([["d-1"], []])
    account = FakeAccount(
        {
            **at_rest(),
            ("codedeploy", "list_deployments"): lambda **_: {"deployments": next(lists)},
            ("codedeploy", "stop_deployment"): refusing("DeploymentAlreadyCompletedException"),
        }
    )
    stop_everything("dev", account, lambda _: None)
    assert "stop_deployment" in account.operations


def test_a_failed_cdk_destroy_is_an_error_and_deletes_nothing_else(cdk: Path) -> None:
    Path(f"{cdk}.code").write_text("1")
    account = FakeAccount(at_rest())
    with pytest.raises(OperationsError, match="cdk destroy of stack-dev ended with exit code 1"):
        destroying.destroy("dev", account, lambda _: None)
    assert "list_task_definitions" not in account.operations


@pytest.mark.usefixtures("cdk")
def test_the_pipelines_task_definitions_are_deregistered_and_deleted() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/"

    def definitions(status: str, **_: Any) -> dict[str, Any]:
        names = {"ACTIVE": ["task-dev:2", "task-dev-2:1"], "INACTIVE": ["task-dev:1"]}[status]
        return {"taskDefinitionArns": [arn + name for name in names]}

    account = FakeAccount({**at_rest(), ("ecs", "list_task_definitions"): definitions})
    destroying.destroy("dev", account, lambda _: None)
    asked = [(operation, arguments) for service, operation, arguments in account.asked if service == "ecs"]
    assert ("deregister_task_definition", {"taskDefinition": "task-dev:2"}) in asked
    assert asked[-1] == ("delete_task_definitions", {"taskDefinitions": ["task-dev:2", "task-dev:1"]})


@pytest.mark.usefixtures("cdk")
def test_only_the_environments_own_password_log_groups_and_report_groups_are_deleted() -> None:
    report = "arn:aws:codebuild:us-east-1:123456789012:report-group/"
    account = FakeAccount(
        {
            **at_rest(),
            ("ssm", "describe_parameters"): {"Parameters": [{"Name": "/docker-hub-dev/password"}]},
            ("logs", "describe_log_groups"): {
                "logGroups": [{"logGroupName": "/ecs/task-dev"}, {"logGroupName": "/ecs/task-dev-2"}]
            },
            ("logs", "delete_log_group"): {},
            ("codebuild", "list_projects"): {"projects": ["build-dev-2"]},
            ("codebuild", "list_report_groups"): {
                "reportGroups": [f"{report}build-dev-unit-tests", f"{report}build-dev-2-unit-tests"]
            },
        }
    )
    destroying.destroy("dev", account, lambda _: None)
    deleted = [arguments for _, operation, arguments in account.asked if operation.startswith("delete_")]
    assert deleted == [
        {"Name": "/docker-hub-dev/password"},
        {"logGroupName": "/ecs/task-dev"},
        {"arn": f"{report}build-dev-unit-tests", "deleteReports": True},
    ]
