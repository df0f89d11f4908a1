"""How an environment is destroyed."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import destroy as destroying
from operations.errors import OperationsError
from operations.quiesce import quiesce
from unit_tests.operations.account_fakes import FakeAccount, refusing

NO_STACK = {"Error": {"Code": "ValidationError", "Message": "Stack with id stack-dev does not exist"}}
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-dev/1"
NESTED = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-dev-Network/2"


def no_stack(**_: Any) -> dict[str, Any]:
    raise ClientError(NO_STACK, "DescribeStacks")


def stack(status: str, **more: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackId": STACK, "StackStatus": status, **more}]}


def event(stack_id: str, type_: str, name: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": stack_id,
        "ResourceType": type_,
        "LogicalResourceId": name.rpartition("/")[2],
        "PhysicalResourceId": name,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def stuck(*failed: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Answers of an environment whose network, a nested stack, could not be deleted because of `failed`."""
    kind = "AWS::CloudFormation::Stack"
    events = {
        STACK: [
            event(STACK, kind, STACK, "DELETE_FAILED", "The following resource(s) failed to delete"),
            event(STACK, kind, NESTED, "DELETE_FAILED", "Stack with id stack-dev-Network was not deleted"),
            event(STACK, kind, NESTED, "DELETE_IN_PROGRESS"),
            event(STACK, kind, STACK, "DELETE_IN_PROGRESS"),
            event(STACK, "AWS::IAM::Role", "old-dev", "DELETE_FAILED", "of the time before last"),
        ],
        NESTED: [
            *failed,
            event(NESTED, "AWS::EC2::EIP", "1.2.3.4", "DELETE_COMPLETE"),
            event(NESTED, kind, NESTED, "DELETE_IN_PROGRESS"),
        ],
    }
    return {
        **at_rest(),
        ("cloudformation", "describe_stacks"): stack("DELETE_FAILED"),
        ("cloudformation", "describe_stack_events"): lambda StackName: {"StackEvents": events[StackName]},  # noqa: N803
    }


def groups_of(*environments: str) -> dict[str, Any]:
    """Security groups of these environments, and a VPC's own."""
    tags = [
        [{"Key": "project", "Value": "python-service-road"}, {"Key": "environment", "Value": one}]
        for one in environments
    ]
    groups = [{"GroupId": f"sg-{number}", "Tags": one} for number, one in enumerate(tags, 1)]
    return {"SecurityGroups": [{"GroupId": "sg-default"}, *groups]}


def at_rest() -> dict[tuple[str, str], Any]:
    """Answers of an environment in which nothing runs and nothing remains."""
    return {
        ("cloudformation", "describe_stacks"): no_stack,
        ("ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1"}]},
        ("ec2", "describe_security_groups"): groups_of("dev"),
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
    """A `cdk` that records its arguments, and exits with the code in the file beside it."""
    program = tmp_path / "cdk"
    program.write_text('#!/bin/sh\necho "$@" > "$0.called"\nexit $(cat "$0.code" 2>/dev/null || echo 0)\n')
    program.chmod(0o755)
    monkeypatch.setattr(destroying, "CDK", program)
    return program


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
    account = FakeAccount(running.answers())
    said: list[str] = []
    destroying.destroy("dev", account, said.append, dry_run=True)
    assert "would stop deployment d-1" in said
    assert not running.stopped
    assert not Path(f"{cdk}.called").exists()
    assert not [name for name in account.operations if not name.startswith(("list_", "describe_"))]


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


def test_a_failed_cdk_destroy_is_an_error_and_deletes_nothing_else(cdk: Path) -> None:
    Path(f"{cdk}.code").write_text("1")
    account = FakeAccount(at_rest())
    with pytest.raises(OperationsError, match="cdk destroy of stack-dev ended with exit code 1"):
        destroying.destroy("dev", account, lambda _: None)
    assert "list_task_definitions" not in account.operations


SUBNET = event(NESTED, "AWS::EC2::Subnet", "subnet-1", "DELETE_FAILED", "has dependencies and\n cannot go")
BUCKET = event(NESTED, "AWS::S3::Bucket", "artifacts-dev-1", "DELETE_FAILED", "The bucket is not empty")


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


def test_a_second_run_prints_what_failed_and_removes_the_blockers_first(cdk: Path) -> None:
    answers = stuck(SUBNET, BUCKET)

    def stacks(**_: Any) -> dict[str, Any]:
        return no_stack() if Path(f"{cdk}.called").exists() else stack("DELETE_FAILED")

    account = FakeAccount(
        {
            **answers,
            ("cloudformation", "describe_stacks"): stacks,
            ("ec2", "describe_network_interfaces"): {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]},
            ("ec2", "delete_network_interface"): {},
            ("s3", "list_object_versions"): {
                "Versions": [{"Key": "a", "VersionId": "1"}],
                "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
            },
            ("s3", "delete_objects"): {},
        }
    )
    said: list[str] = []
    destroying.destroy("dev", account, said.append)
    assert said[:4] == [
        "could not be deleted last time: AWS::EC2::Subnet subnet-1: has dependencies and cannot go",
        "could not be deleted last time: AWS::S3::Bucket artifacts-dev-1: The bucket is not empty",
        "emptying S3 bucket artifacts-dev-1",
        "deleting network interface eni-1",
    ]
    asked = {operation: arguments for _, operation, arguments in account.asked}
    assert asked["delete_objects"]["Delete"]["Objects"] == [
        {"Key": "a", "VersionId": "1"},
        {"Key": "a", "VersionId": "2"},
    ]
    free = {"Name": "status", "Values": ["available"]}
    assert free in asked["describe_network_interfaces"]["Filters"]
    assert {"Name": "group-id", "Values": ["sg-default", "sg-1"]} in asked["describe_network_interfaces"][
        "Filters"
    ]
    # The fake returns all groups; AWS returns those with the tags.
    assert {"Name": "tag:environment", "Values": ["dev"]} in asked["describe_security_groups"]["Filters"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_network_that_other_environments_use_is_not_destroyed(cdk: Path, dry_run: bool) -> None:
    shared = {("ec2", "describe_security_groups"): groups_of("dev", "orders-dev", "bills-dev")}
    account = FakeAccount({**at_rest(), **shared})
    with pytest.raises(OperationsError, match="shared by bills-dev, orders-dev: destroy those first"):
        destroying.destroy("dev", account, print, dry_run=dry_run)
    assert account.operations == ["describe_vpcs", "describe_security_groups"], "nothing is stopped"
    assert not Path(f"{cdk}.called").exists()
    assert {"Name": "tag:environment", "Values": ["dev"]} in account.asked[0][2]["Filters"]
    assert account.asked[1][2]["Filters"] == [{"Name": "vpc-id", "Values": ["vpc-1"]}]


def test_an_environment_without_a_network_is_destroyed(cdk: Path) -> None:
    account = FakeAccount({**at_rest(), ("ec2", "describe_vpcs"): {"Vpcs": []}})
    destroying.destroy("orders-dev", account, print)
    assert "describe_security_groups" not in account.operations
    assert Path(f"{cdk}.called").exists()


def test_a_dry_run_of_a_second_run_changes_nothing(cdk: Path) -> None:
    account = FakeAccount(
        {
            **stuck(SUBNET, BUCKET),
            ("ec2", "describe_network_interfaces"): {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]},
        }
    )
    said: list[str] = []
    destroying.destroy("dev", account, said.append, dry_run=True)
    assert "would delete network interface eni-1" in said
    assert not [name for name in account.operations if not name.startswith(("list_", "describe_"))]
    assert not Path(f"{cdk}.called").exists()


def test_a_protected_stack_is_an_error_and_nothing_is_stopped(cdk: Path) -> None:
    running = Running()
    protected = stack("UPDATE_COMPLETE", EnableTerminationProtection=True)
    account = FakeAccount({**running.answers(), ("cloudformation", "describe_stacks"): protected})
    with pytest.raises(OperationsError, match="update-termination-protection --no-enable-termination"):
        destroying.destroy("dev", account, lambda _: None)
    assert account.operations == ["describe_vpcs", "describe_security_groups", "describe_stacks"]
    assert not Path(f"{cdk}.called").exists()


@pytest.mark.usefixtures("cdk")
def test_a_task_definition_that_ecs_does_not_delete_is_an_error() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/task-dev:1"
    account = FakeAccount(
        {
            **at_rest(),
            ("ecs", "list_task_definitions"): {"taskDefinitionArns": [arn]},
            ("ecs", "delete_task_definitions"): {"failures": [{"arn": arn, "reason": "still ACTIVE"}]},
        }
    )
    with pytest.raises(OperationsError, match=r"task-dev:1: still ACTIVE"):
        destroying.destroy("dev", account, lambda _: None)


@pytest.mark.usefixtures("cdk")
def test_the_pipelines_task_definitions_are_deregistered_and_deleted() -> None:
    """CloudFormation deletes only the one that it created (pitfall H5)."""
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
