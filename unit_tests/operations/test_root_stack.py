"""Why a stack could not be deleted, from the CloudFormation of local_aws."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import preflight
from operations.account import Account
from operations.deletion_blockers import remove_blockers
from operations.preflight.check import Subject
from operations.root_stack import failures, root_stack
from operations.waiting import NotYetError, wait_for
from unit_tests.operations.running_account import running_account

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"RoleName": "task-role-stuck", "AssumeRolePolicyDocument": TRUST},
}
FOREIGN = {"RoleName": "task-role-stuck", "PolicyName": "by-hand"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One server per module, because its start is slow."""
    with running_account(tmp_path_factory.mktemp("local_aws")) as account:
        yield account


def settled(account: Account, suffix: str) -> str:
    """Wait until CloudFormation has finished; return the status, or "gone"."""

    def check() -> str:
        status = str((root_stack(suffix, account) or {"StackStatus": "gone"})["StackStatus"])
        if status.endswith("_IN_PROGRESS"):
            raise NotYetError(status)
        return status

    return wait_for(f"stack-{suffix}", check, deadline=40, interval=0.1)


def create(account: Account, suffix: str, resources: dict[str, Any]) -> None:
    body = json.dumps({"Resources": resources})
    account.client("cloudformation").create_stack(
        StackName=f"stack-{suffix}", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    assert settled(account, suffix) == "CREATE_COMPLETE"


def delete(account: Account, suffix: str) -> str:
    account.client("cloudformation").delete_stack(StackName=f"stack-{suffix}")
    time.sleep(0.2)
    return settled(account, suffix)


def nested(account: Account, resources: dict[str, Any]) -> dict[str, Any]:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="templates-stuck")
    s3.put_object(Bucket="templates-stuck", Key="t", Body=json.dumps({"Resources": resources}).encode())
    url = f"{account.endpoint}/templates-stuck/t"
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}


def test_what_blocks_the_deletion_of_a_nested_stack_is_named_until_it_succeeds(account: Account) -> None:
    iam = account.client("iam")
    create(account, "stuck", {"Inner": nested(account, {"Role": ROLE})})
    statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(**FOREIGN, PolicyDocument=policy)
    assert delete(account, "stuck") == "DELETE_FAILED"
    (failure,) = failures("stack-stuck", account)
    assert (failure.type, failure.name) == ("AWS::IAM::Role", "task-role-stuck")
    assert "must delete policies first" in failure.reason
    said: list[str] = []
    remove_blockers("stuck", account, said.append)
    assert said == [f"could not be deleted last time: {failure}"]
    iam.delete_role_policy(**FOREIGN)
    assert delete(account, "stuck") == "gone"


def test_a_protected_stack_cannot_be_deleted_before_its_protection_is_switched_off(account: Account) -> None:
    cloudformation = account.client("cloudformation")
    create(account, "kept", {"Topic": {"Type": "AWS::SNS::Topic"}})
    protect: Callable[..., Any] = cloudformation.update_termination_protection
    protect(StackName="stack-kept", EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        delete(account, "kept")
    remove_blockers("kept", account, print)
    assert delete(account, "kept") == "gone"


def test_preflight_finds_what_an_empty_account_lacks_and_fix_creates_the_role(account: Account) -> None:
    def errors() -> list[str]:
        return [check.name for check in preflight.inspect(Subject("bare", account)).errors]

    assert errors() == ["CDK bootstrap", "ECS service role"]
    assert preflight.fix(account) is not None
    assert errors() == ["CDK bootstrap"]
    assert preflight.fix(account) is None


def test_a_log_group_is_deleted_with_its_stack_even_if_another_is_missing(
    account: Account,
) -> None:
    logs = account.client("logs")
    names = [f"/ecs/task-logs/{name}" for name in ("kept", "gone")]
    groups = {f"Group{number}": name for number, name in enumerate(names)}
    kind = "AWS::Logs::LogGroup"
    create(
        account,
        "logs",
        {key: {"Type": kind, "Properties": {"LogGroupName": name}} for key, name in groups.items()},
    )
    logs.delete_log_group(logGroupName=names[1])
    assert delete(account, "logs") == "gone"
    assert logs.describe_log_groups(logGroupNamePrefix="/ecs/task-logs")["logGroups"] == []
