"""The quotas that a deployment needs."""

from pathlib import Path
from typing import Any

import pytest

from operations import preflight
from operations.preflight.check import Subject, Verdict
from unit_tests.operations.account_fakes import FakeAccount, refusing
from unit_tests.operations.preflight_account import (
    account_with,
    errors,
    findings,
    quota,
    written,
)


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


def test_a_service_that_scales_needs_room_for_its_most_tasks(tmp_path: Path) -> None:
    scaling = {"min": 2, "max": 8, "cpuPercent": 60}
    cdk_json = written(tmp_path, {"orders": {"tasks": 2, "cpu": 1024, "scaling": scaling}})
    assert Subject("orders-dev", FakeAccount({}), cdk_json=cdk_json).settings.fargate_vcpus == 16


@pytest.mark.usefixtures("left")
def test_a_fargate_quota_below_blue_and_green_is_an_error() -> None:
    """Prod needs 3 vCPUs: its 3 tasks of 0.5 vCPU, twice during a deployment."""

    def two_for_fargate(ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        return quota(2.0 if (ServiceCode, QuotaCode) == ("fargate", "L-3032A538") else 5.0)

    answers = {("service-quotas", "get_service_quota"): two_for_fargate}
    prod = Subject("prod", account_with(answers), context={"allowHttp": "true"})
    found = preflight.inspect(prod).errors
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
