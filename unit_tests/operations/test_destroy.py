"""How an environment is destroyed."""

import json
from pathlib import Path

import pytest

from operations import __main__ as command
from operations import destroy as destroying
from operations.errors import OperationsError
from operations.quiesce import quiesce
from unit_tests.operations.account_fakes import FakeAccount, refusing
from unit_tests.operations.destroy_answers import (
    SUBNET,
    Running,
    at_rest,
    stack,
    stuck,
)


def test_a_running_deployment_is_stopped_before_the_stack_is_deleted(cdk: Path) -> None:
    """It would continue to create task sets, and the service could not be deleted (pitfall I2)."""
    running = Running()
    account = FakeAccount(running.answers())
    destroying.destroy("dev", account, lambda _: None)
    assert running.stopped
    assert "destroy --force" in Path(f"{cdk}.called").read_text()
    assert account.operations.index("disable_stage_transition") < account.operations.index("stop_deployment")


def test_a_dry_run_prints_what_it_would_do_and_does_nothing(cdk: Path) -> None:
    running = Running()
    account = FakeAccount(
        {**running.answers(), ("cloudformation", "describe_stacks"): stack("CREATE_COMPLETE")}
    )
    said: list[str] = []
    destroying.destroy("dev", account, said.append, dry_run=True)
    assert "would stop deployment d-1" in said
    assert [line for line in said if line.startswith("would destroy stack-dev and everything in it")]
    assert not running.stopped
    assert not Path(f"{cdk}.called").exists()
    assert not [name for name in account.operations if not name.startswith(("list_", "describe_"))]


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_the_command_prints_json_for_a_program_and_nothing_of_the_cdk(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    cdk.write_text("#!/bin/sh\necho of the CDK\n")
    account = FakeAccount({**at_rest(), ("sts", "get_caller_identity"): {"Account": "123456789012"}})
    monkeypatch.setattr(command, "Account", lambda: account)
    assert command.main(["destroy", "dev", "--json", *words]) == 0
    said = capfd.readouterr()
    found = json.loads(said.out)
    assert (found["suffix"], found["account"], found["dry_run"]) == ("dev", "123456789012", bool(words))
    does = "there is no stack-dev to destroy" if words else "destroying stack-dev"
    assert does in found["messages"]
    assert does in said.err
    assert ("of the CDK" in said.err) == (not words)


def test_a_dry_run_without_a_stack_says_so(cdk: Path) -> None:
    said: list[str] = []
    destroying.destroy("dev", FakeAccount(at_rest()), said.append, dry_run=True)
    assert said == ["there is no stack-dev to destroy"]


def test_what_no_longer_exists_is_ignored(cdk: Path) -> None:
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


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("codepipeline", "disable_stage_transition"), "cannot stop what runs"),
        (("codedeploy", "list_deployments"), "cannot stop what runs"),
        (("ec2", "describe_vpcs"), "cannot tell whether the network is shared"),
    ],
)
def test_a_call_that_is_denied_keeps_no_stack(cdk: Path, call: tuple[str, str], says: str) -> None:
    said: list[str] = []
    account = FakeAccount({**at_rest(), call: refusing("AccessDeniedException")})
    destroying.destroy("dev", account, said.append)
    assert f"{says}: An error occurred (AccessDeniedException)" in said[0]
    assert Path(f"{cdk}.called").exists()


def test_a_deployment_that_ends_meanwhile_is_ignored() -> None:
    lists = iter([["d-1"], []])
    account = FakeAccount(
        {
            **at_rest(),
            ("codedeploy", "list_deployments"): lambda **_: {"deployments": next(lists)},
            ("codedeploy", "stop_deployment"): refusing("DeploymentAlreadyCompletedException"),
        }
    )
    quiesce("dev", account, lambda _: None)
    assert "stop_deployment" in account.operations


def test_a_copy_of_an_image_that_runs_is_stopped() -> None:
    running = {"promotion-dev": ["promotion-dev:1"], "build-dev": [], "test-dev": []}

    def stop(**given: str) -> dict[str, str]:
        running["promotion-dev"].remove(given["id"])
        return {}

    account = FakeAccount(
        {
            **at_rest(),
            ("codebuild", "list_builds_for_project"): lambda **given: {"ids": running[given["projectName"]]},
            ("codebuild", "batch_get_builds"): {
                "builds": [{"id": "promotion-dev:1", "buildComplete": False}]
            },
            ("codebuild", "stop_build"): stop,
        }
    )
    quiesce("dev", account, lambda _: None)
    assert running["promotion-dev"] == []


def test_a_failed_cdk_destroy_is_an_error_and_deletes_nothing_else(cdk: Path) -> None:
    Path(f"{cdk}.code").write_text("1")
    account = FakeAccount(at_rest())
    with pytest.raises(OperationsError, match="cdk destroy of stack-dev ended with exit code 1"):
        destroying.destroy("dev", account, lambda _: None)
    assert "list_task_definitions" not in account.operations


def test_a_stack_that_could_not_be_deleted_is_an_error_with_the_resource_and_the_reason(cdk: Path) -> None:
    Path(f"{cdk}.code").write_text("1")
    account = FakeAccount({**stuck(SUBNET), ("ec2", "describe_security_groups"): {"SecurityGroups": []}})
    with pytest.raises(OperationsError) as said:
        destroying.destroy("dev", account, lambda _: None)
    assert "DELETE_FAILED (AWS::EC2::Subnet subnet-1: has dependencies and cannot go)" in str(said.value)
    assert "run it again" in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.usefixtures("cdk")
def test_a_stack_that_remains_is_an_error_although_the_cli_succeeds() -> None:
    account = FakeAccount({**at_rest(), ("cloudformation", "describe_stacks"): stack("DELETE_FAILED")})
    account.answers["cloudformation", "describe_stack_events"] = {"StackEvents": []}
    with pytest.raises(OperationsError, match="exit code 0, see above; the stack is DELETE_FAILED: fix that"):
        destroying.destroy("dev", account, lambda _: None)
