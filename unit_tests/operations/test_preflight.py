"""What an account must have before a deployment: each finding, and its remedy."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from operations import __main__ as command
from operations import leftovers, preflight
from operations.account import Account
from operations.ownership import Resource
from operations.preflight.check import Check, Subject, Verdict
from unit_tests.operations.account_fakes import FakeAccount, refusing

ACCOUNT = "123456789012"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
NO_STACK = {"Error": {"Code": "ValidationError", "Message": "Stack with id stack-dev does not exist"}}


SETTINGS = {"natGateways": 1, "desiredCount": 2, "taskCpu": 256}


def written(folder: Path, services: dict[str, Any] | None = None, **environments: dict[str, int]) -> Path:
    """Write a cdk.json; what an environment does not say is as in `SETTINGS`."""
    settings = {name: SETTINGS | values for name, values in {"dev": {}, **environments}.items()}
    path = folder / "cdk.json"
    path.write_text(json.dumps({"context": {"environments": settings, "services": services or {}}}))
    return path


class Session:
    """A session in us-east-1."""

    region_name = "us-east-1"


def no_stack(**_: Any) -> dict[str, Any]:
    raise ClientError(NO_STACK, "DescribeStacks")


def quota(value: float) -> dict[str, Any]:
    return {"Quota": {"Value": value}}


def ready() -> dict[tuple[str, str], Any]:
    """Answers of an account in which nothing is missing and nothing is deployed."""
    return {
        ("sts", "get_caller_identity"): {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
        ("ssm", "get_parameter"): {"Parameter": {"Value": "30"}},
        ("ssm", "get_parameters"): {"Parameters": []},
        ("s3", "head_bucket"): lambda Bucket: {} if Bucket.startswith("cdk-") else refusing("404")(),  # noqa: N803
        ("iam", "get_role"): {},
        ("iam", "list_roles"): {"Roles": [{"RoleName": "AWSServiceRoleForECS"}]},
        ("iam", "create_service_linked_role"): {},
        ("iam", "list_open_id_connect_providers"): {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
        ("iam", "get_open_id_connect_provider"): {"ClientIDList": ["sts.amazonaws.com"]},
        ("codecommit", "list_repositories"): {"repositories": []},
        ("cloudformation", "describe_stacks"): no_stack,
        ("service-quotas", "get_service_quota"): quota(5.0),
        ("ec2", "describe_availability_zones"): {
            "AvailabilityZones": [{"ZoneName": name} for name in ("us-east-1b", "us-east-1a", "us-east-1c")]
        },
        ("ec2", "describe_vpcs"): {"Vpcs": [{}]},
        ("ec2", "describe_subnets"): {
            "Subnets": [
                {"SubnetId": "subnet-a", "AvailabilityZone": "us-east-1a"},
                {"SubnetId": "subnet-c", "AvailabilityZone": "us-east-1c"},
            ]
        },
        ("ec2", "describe_internet_gateways"): {"InternetGateways": []},
        ("ec2", "describe_addresses"): {"Addresses": []},
        ("ec2", "describe_nat_gateways"): {"NatGateways": []},
        ("elbv2", "describe_load_balancers"): {"LoadBalancers": [{"Type": "network"}] * 9},
    }


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[Resource]:
    """What the inventory finds; nothing, until a test adds a resource."""
    resources: list[Resource] = []
    kinds: dict[str, Callable[[Account], Iterator[Resource]]] = {
        "CloudFormation stacks": lambda _: iter(()),
        "resources": lambda _: iter(resources),
    }
    monkeypatch.setattr(leftovers, "KINDS", kinds)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return resources


def account_with(answers: dict[tuple[str, str], Any]) -> FakeAccount:
    account = FakeAccount({**ready(), **answers})
    account.session = Session()
    return account


def findings(answers: dict[tuple[str, str], Any] | None = None, **asked: Any) -> dict[str, Check]:
    """Return the checks by name."""
    found = preflight.inspect(Subject("dev", account_with(answers or {}), **asked))
    assert len({check.name for check in found.checks}) == len(found.checks)
    return {check.name: check for check in found.checks}


def errors(answers: dict[tuple[str, str], Any] | None = None, **asked: Any) -> dict[str, Check]:
    """Return the checks that a deployment would fail on."""
    return {name: one for name, one in findings(answers, **asked).items() if one.verdict is Verdict.ERROR}


@pytest.mark.usefixtures("left")
def test_a_ready_account_has_no_findings() -> None:
    assert {check.verdict for check in findings(github="import").values()} == {Verdict.OK}


@pytest.mark.usefixtures("left")
def test_the_checks_change_nothing() -> None:
    account = account_with({("iam", "list_roles"): {"Roles": []}})
    preflight.inspect(Subject("dev", account, github="import"))
    assert not [
        name for name in account.operations if not name.startswith(("describe_", "get_", "list_", "head_"))
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


@pytest.mark.usefixtures("left")
def test_a_quota_of_no_builds_is_an_error_with_the_command_that_requests_more() -> None:
    """Its quota of builds is 0 or 1 (pitfall A2)."""

    def none_for_codebuild(ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        return quota(0.0 if (ServiceCode, QuotaCode) == ("codebuild", "L-9D07B6EF") else 5.0)

    (check,) = errors({("service-quotas", "get_service_quota"): none_for_codebuild}).values()
    assert check.found == "0 allowed, 1 needed"
    assert "--service-code codebuild --quota-code L-9D07B6EF --desired-value 1" in check.remedy


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("operation", "answer", "name"),
    [
        ("describe_vpcs", {"Vpcs": [{}] * 5}, "VPCs"),
        ("describe_internet_gateways", {"InternetGateways": [{}] * 5}, "internet gateways"),
        ("describe_addresses", {"Addresses": [{}] * 4}, "Elastic IP addresses"),
    ],
)
def test_a_quota_that_is_used_up_is_an_error(operation: str, answer: Any, name: str, tmp_path: Path) -> None:
    cdk_json = written(tmp_path, dev={"natGateways": 2})
    assert list(errors({("ec2", operation): answer}, cdk_json=cdk_json)) == [name]


@pytest.mark.parametrize(("suffix", "count"), [("dev", 1), ("prod", 2), ("mine", 1)])
def test_the_nat_gateways_of_an_environment_are_read_from_cdk_json(suffix: str, count: int) -> None:
    assert Subject(suffix, FakeAccount({})).settings.nat_gateways == count


@pytest.mark.parametrize(("suffix", "vcpus"), [("dev", 1), ("staging", 1), ("prod", 3), ("mine", 1)])
def test_fargate_needs_the_vcpus_of_blue_and_green(suffix: str, vcpus: int) -> None:
    assert Subject(suffix, FakeAccount({})).settings.fargate_vcpus == vcpus


def test_a_service_has_its_own_tasks_or_those_of_its_environment(tmp_path: Path) -> None:
    cdk_json = written(tmp_path, {"orders": {"tasks": 5, "cpu": 1024}, "bills": {}}, prod={"desiredCount": 3})

    def needed(suffix: str) -> int:
        return Subject(suffix, FakeAccount({}), cdk_json=cdk_json).settings.fargate_vcpus

    assert needed("orders-prod") == 10
    assert needed("bills-prod") == needed("prod") == 2, "3 tasks of 0.25 vCPU, twice, rounded up"


@pytest.mark.usefixtures("left")
def test_a_fargate_quota_below_blue_and_green_is_an_error() -> None:
    """Prod needs 3 vCPUs: its 3 tasks of 0.5 vCPU, twice during a deployment."""

    def two_for_fargate(ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        return quota(2.0 if (ServiceCode, QuotaCode) == ("fargate", "L-3032A538") else 5.0)

    answers = {("service-quotas", "get_service_quota"): two_for_fargate}
    found = preflight.inspect(Subject("prod", account_with(answers))).errors
    assert [(check.name, check.found) for check in found] == [("vCPUs of Fargate", "2 allowed, 3 needed")]
    assert errors(answers) == {}, "dev needs 1"


def test_a_service_has_the_nat_gateways_of_its_environment_or_none(tmp_path: Path) -> None:
    services = {"orders": {}, "orders-eu": {"network": "shared"}}
    cdk_json = written(tmp_path, services, prod={"natGateways": 2})

    def needed(suffix: str) -> tuple[int, int]:
        settings = Subject(suffix, FakeAccount({}), cdk_json=cdk_json).settings
        return settings.networks, settings.nat_gateways

    assert needed("prod") == needed("orders-prod") == (1, 2)
    assert needed("orders-mine") == (1, 1)
    assert needed("orders-eu-prod") == (0, 0)


@pytest.mark.usefixtures("left")
def test_a_service_that_shares_a_network_needs_no_quota_for_it(tmp_path: Path) -> None:
    cdk_json = written(tmp_path, {"dev": {"network": "shared"}})
    full: dict[tuple[str, str], Any] = {
        ("ec2", "describe_vpcs"): {"Vpcs": [{}] * 5},
        ("ec2", "describe_internet_gateways"): {"InternetGateways": [{}] * 5},
        ("ec2", "describe_addresses"): {"Addresses": [{}] * 5},
    }
    subject = Subject("dev-1", account_with(full), cdk_json=cdk_json)
    assert [check.name for check in preflight.inspect(subject).checks if check.verdict is Verdict.ERROR] == []


@pytest.mark.usefixtures("left")
def test_nat_gateways_count_in_the_zones_of_a_deployment_unless_they_are_deleted() -> None:
    def gateways(subnet: str, state: str = "available") -> dict[tuple[str, str], Any]:
        return {("ec2", "describe_nat_gateways"): {"NatGateways": [{"SubnetId": subnet, "State": state}] * 5}}

    assert list(errors(gateways("subnet-a"))) == ["NAT gateways in a zone"]
    assert errors(gateways("subnet-c")) == {}
    assert errors(gateways("subnet-a", "deleted")) == {}


@pytest.mark.usefixtures("left")
def test_a_deployed_environment_needs_no_more_than_it_has() -> None:
    answers = {
        ("cloudformation", "describe_stacks"): {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]},
        ("ec2", "describe_vpcs"): {"Vpcs": [{}] * 5},
    }
    assert errors(answers) == {}


@pytest.mark.usefixtures("left")
def test_a_quota_without_a_value_of_the_account_has_the_default() -> None:
    answers = {
        ("service-quotas", "get_service_quota"): refusing("NoSuchResourceException"),
        ("service-quotas", "get_aws_default_service_quota"): quota(7.0),
    }
    assert findings(answers)["VPCs"].found == "7 allowed, 1 used, 1 needed"


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
    left.append(Resource("NAT gateway", "nat-1", {"project": "python-service-road", "environment": "dev"}))
    assert findings()["names"].verdict is Verdict.WARNING


def test_a_password_that_was_stored_beforehand_is_no_finding(left: list[Resource]) -> None:
    left.append(Resource("SSM parameter", "/docker-hub-dev/password"))
    assert findings()["names"].verdict is Verdict.OK


@pytest.mark.usefixtures("left")
def test_a_bucket_name_of_another_account_is_an_error() -> None:
    taken = {("s3", "head_bucket"): lambda Bucket: {} if Bucket.startswith("cdk-") else refusing("403")()}  # noqa: N803
    assert "belongs to another account" in errors(taken)["artifact bucket"].found


USERNAME = {"Name": "/docker-hub-dev/username", "Type": "String", "Value": "me"}
ANONYMOUS = {**USERNAME, "Value": "anonymous"}
PASSWORD = {"Name": "/docker-hub-dev/password", "Type": "SecureString", "Value": "ciphertext"}


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
