"""What prevents the deletion of a stack: it is removed, or the command stops before anything else."""

from pathlib import Path
from typing import Any

import pytest

from operations import destroy as destroying
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.destroy_answers import (
    NESTED,
    SUBNET,
    at_rest,
    event,
    groups_of,
    no_stack,
    stack,
    stuck,
)

BUCKET = event(NESTED, "AWS::S3::Bucket", "artifacts-dev-1", "DELETE_FAILED", "The bucket is not empty")


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


@pytest.mark.parametrize("dry_run", [False, True])
def test_termination_protection_is_switched_off_unless_it_is_a_dry_run(cdk: Path, dry_run: bool) -> None:
    answers = iter([stack("UPDATE_COMPLETE", EnableTerminationProtection=True, StackName="stack-dev")])
    account = FakeAccount(
        {
            **at_rest(),
            ("cloudformation", "describe_stacks"): lambda **_: next(answers, None) or no_stack(),
            ("cloudformation", "update_termination_protection"): {},
        }
    )
    said: list[str] = []
    destroying.destroy("dev", account, said.append, dry_run=dry_run)
    off = ("cloudformation", "update_termination_protection")
    calls = [arguments for *operation, arguments in account.asked if tuple(operation) == off]
    wanted = [{"StackName": "stack-dev", "EnableTerminationProtection": False}]
    assert calls == ([] if dry_run else wanted)
    assert "termination protection of stack-dev off" in said[0]
    assert Path(f"{cdk}.called").exists() is not dry_run
