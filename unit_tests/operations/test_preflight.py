"""What an account must have before a deployment: each finding, and its remedy."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from operations import __main__ as command
from operations import preflight
from operations.preflight.check import Subject, Verdict
from unit_tests.operations.account_fakes import refusing
from unit_tests.operations.preflight_account import (
    ACCOUNT,
    account_with,
    errors,
    findings,
    written,
)


@pytest.mark.usefixtures("left")
def test_a_ready_account_has_no_findings(tmp_path: Path) -> None:
    found = findings(github="import", cdk_json=written(tmp_path))
    assert {check.verdict for check in found.values()} == {Verdict.OK}


@pytest.mark.usefixtures("left")
def test_the_checks_change_nothing() -> None:
    account = account_with({("iam", "list_roles"): {"Roles": []}})
    preflight.inspect(Subject("dev", account, github="import"))
    assert not [
        name
        for name in account.operations
        if not name.startswith(("batch_get_", "describe_", "get_", "list_", "head_"))
    ]


@pytest.mark.usefixtures("left")
def test_another_region_is_an_error() -> None:
    account = account_with({})
    account.session = type("Elsewhere", (), {"region_name": "eu-west-1"})
    (check, *_) = preflight.inspect(Subject("dev", account)).checks
    assert (check.name, check.verdict) == ("account", Verdict.ERROR)
    assert "AWS_REGION=us-east-1" in check.remedy


@pytest.mark.usefixtures("left")
def test_a_default_region_elsewhere_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    check = findings()["account"]
    assert (check.verdict, "eu-west-1" in check.found) == (Verdict.WARNING, True)


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({("ssm", "get_parameter"): refusing("ParameterNotFound")}, "never bootstrapped"),
        ({("ssm", "get_parameter"): {"Parameter": {"Value": "5"}}}, "version 5, older than 6"),
        ({("s3", "head_bucket"): refusing("404")}, f"no bucket cdk-hnb659fds-assets-{ACCOUNT}-us-east-1"),
        ({("iam", "get_role"): refusing("NoSuchEntity")}, "no role cdk-hnb659fds-cfn-exec-role-"),
    ],
)
def test_a_bootstrap_that_is_missing_old_or_broken_is_an_error(
    answers: dict[tuple[str, str], Any], found: str
) -> None:
    check = errors(answers)["CDK bootstrap"]
    assert found in check.found
    assert f"cdk bootstrap aws://{ACCOUNT}/us-east-1 -c environmentSuffix=dev" in check.remedy


@pytest.mark.usefixtures("left")
def test_a_missing_service_linked_role_is_an_error_with_the_command_that_creates_it() -> None:
    """A fresh account has none, and the first cluster fails (pitfall A1)."""
    check = errors({("iam", "list_roles"): {"Roles": []}})["ECS service role"]
    assert check.remedy.startswith("aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com")


def test_fix_creates_the_service_linked_role_where_it_is_missing_only() -> None:
    bare, complete = account_with({("iam", "list_roles"): {"Roles": []}}), account_with({})
    assert preflight.fix(bare) == "created ECS's service-linked role"
    assert ("iam", "create_service_linked_role", {"AWSServiceName": "ecs.amazonaws.com"}) in bare.asked
    assert preflight.fix(complete) is None
    assert "create_service_linked_role" not in complete.operations


@pytest.mark.usefixtures("left")
def test_a_codecommit_that_rejects_the_account_is_an_error() -> None:
    """It rejected new accounts until November 2025 (pitfall A3)."""
    answers = {("codecommit", "list_repositories"): refusing("OperationNotAllowedException")}
    assert "AWS Support" in errors(answers)["CodeCommit"].remedy


NO_PROVIDER: dict[tuple[str, str], Any] = {
    ("iam", "list_open_id_connect_providers"): {"OpenIDConnectProviderList": []}
}
OTHER_AUDIENCE = {("iam", "get_open_id_connect_provider"): {"ClientIDList": ["somebody"]}}


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("answers", "github", "remedy"),
    [
        (NO_PROVIDER, "import", "aws iam create-open-id-connect-provider"),
        (OTHER_AUDIENCE, "import", "aws iam add-client-id-to-open-id-connect-provider"),
        ({}, "create", "omit createGithubOidcProvider"),
    ],
)
def test_an_unsuitable_provider_is_an_error(answers: Any, github: str, remedy: str) -> None:
    assert errors(answers, github=github)["GitHub's OIDC provider"].remedy.startswith(remedy)


@pytest.mark.usefixtures("left")
def test_the_provider_is_checked_only_with_github() -> None:
    assert "GitHub's OIDC provider" not in findings()
    assert errors(NO_PROVIDER, github="create") == {}


@pytest.mark.usefixtures("left")
def test_a_check_that_aws_denies_is_a_warning() -> None:
    check = findings({("service-quotas", "get_service_quota"): refusing("AccessDeniedException")})["quotas"]
    assert (check.verdict, "not checked" in check.found) == (Verdict.WARNING, True)


@pytest.mark.usefixtures("left")
def test_the_report_has_each_finding_and_its_remedy() -> None:
    found = preflight.inspect(
        Subject("dev", account_with({("ssm", "get_parameter"): refusing("ParameterNotFound")}))
    )
    said = io.StringIO()
    preflight.print_report(found, Console(file=said, width=100))
    assert "never bootstrapped" in said.getvalue()
    assert "CDK bootstrap: cdk bootstrap aws://" in said.getvalue()
    assert said.getvalue().endswith("dev: 1 to fix before cdk deploy\n")


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(("roles", "code"), [([{}], 0), ([], 1)])
def test_the_command_exits_with_1_for_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], roles: list[Any], code: int
) -> None:
    account = account_with({("iam", "list_roles"): {"Roles": roles}})
    monkeypatch.setattr(command, "Account", lambda: account)
    assert command.main(["preflight", "dev", "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert said["ready"] is (code == 0)
    assert {check["name"]: check["verdict"] for check in said["checks"]}["ECS service role"] == (
        "error" if code else "ok"
    )


@pytest.mark.usefixtures("left")
def test_with_credentials_that_aws_rejects_the_command_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = account_with({("sts", "get_caller_identity"): refusing("ExpiredToken")})
    monkeypatch.setattr(command, "Account", lambda: account)
    assert command.main(["preflight", "dev"]) == 2
    assert "ExpiredToken" in capsys.readouterr().err
