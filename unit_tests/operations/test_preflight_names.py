"""The names that a deployment needs: the stack, leftovers, the bucket, Docker Hub."""

from typing import Any

import pytest

from operations.ownership import Resource
from operations.preflight.check import Verdict
from unit_tests.operations.account_fakes import refusing
from unit_tests.operations.preflight_account import errors, findings

USERNAME = {"Name": "/docker-hub-dev/username", "Type": "String", "Value": "me"}


ANONYMOUS = {**USERNAME, "Value": "anonymous"}


PASSWORD = {"Name": "/docker-hub-dev/password", "Type": "SecureString", "Value": "ciphertext"}


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("CREATE_COMPLETE", Verdict.OK),
        ("UPDATE_ROLLBACK_COMPLETE", Verdict.OK),
        ("ROLLBACK_COMPLETE", Verdict.WARNING),
        ("UPDATE_IN_PROGRESS", Verdict.ERROR),
        ("UPDATE_ROLLBACK_FAILED", Verdict.ERROR),
        ("DELETE_FAILED", Verdict.ERROR),
    ],
)
def test_the_status_of_the_stack_decides_whether_a_deploy_can_continue(status: str, verdict: Verdict) -> None:
    found = findings({("cloudformation", "describe_stacks"): {"Stacks": [{"StackStatus": status}]}})["stack"]
    assert (found.verdict, status in found.found, bool(found.remedy)) == (
        verdict,
        True,
        verdict != Verdict.OK,
    )


def test_names_left_over_from_a_previous_deployment_are_an_error_and_listed(left: list[Resource]) -> None:
    left += [Resource("log group", f"/{number}/task-dev") for number in range(6)]
    check = errors()["names"]
    assert check.found.startswith("6 left over from a previous deployment: log group /0/task-dev, ")
    assert check.found.endswith(" and 2 more")
    assert check.remedy.startswith("python -m operations destroy dev")


def test_left_over_resources_with_generated_names_are_a_warning(left: list[Resource]) -> None:
    tags = {"project": "python-service-pipeline", "environment": "dev"}
    left.append(Resource("NAT gateway", "nat-1", tags))
    assert findings()["names"].verdict is Verdict.WARNING


def test_a_password_that_was_stored_beforehand_is_no_finding(left: list[Resource]) -> None:
    left.append(Resource("SSM parameter", "/docker-hub-dev/password"))
    assert findings()["names"].verdict is Verdict.OK


def test_a_secret_that_was_set_beforehand_is_no_finding(left: list[Resource]) -> None:
    tags = {"project": "python-service-pipeline", "environment": "dev"}
    left.append(Resource("SSM parameter", "/dev/API_KEY", tags))
    assert findings()["names"].verdict is Verdict.OK


@pytest.mark.usefixtures("left")
def test_a_bucket_name_of_another_account_is_an_error() -> None:
    taken = {("s3", "head_bucket"): lambda Bucket: {} if Bucket.startswith("cdk-") else refusing("403")()}  # noqa: N803
    assert "belongs to another account" in errors(taken)["artifact bucket"].found


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("parameters", "verdict"),
    [
        ([], Verdict.OK),
        ([ANONYMOUS], Verdict.OK),
        ([USERNAME, PASSWORD], Verdict.OK),
        ([ANONYMOUS, PASSWORD], Verdict.WARNING),
        ([USERNAME], Verdict.ERROR),
        ([USERNAME, {**PASSWORD, "Type": "String"}], Verdict.ERROR),
    ],
)
def test_docker_hubs_password_must_exist_for_a_user_and_be_encrypted(
    parameters: list[Any], verdict: Verdict
) -> None:
    check = findings({("ssm", "get_parameters"): {"Parameters": parameters}})["Docker Hub"]
    assert check.verdict is verdict
    assert "ciphertext" not in f"{check}"
