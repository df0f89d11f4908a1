"""Preflight checks the existing VPC that cdk.json names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from operations.preflight.check import Subject, Verdict
from operations.preflight.network import existing_vpc
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.preflight_account import written

GIVEN = {
    "vpcId": "vpc-1",
    "publicSubnetIds": ["subnet-1", "subnet-2"],
    "privateSubnetIds": ["subnet-3", "subnet-4"],
    "natAddresses": ["203.0.113.7"],
}


def subnet(number: int, zone: str, vpc: str = "vpc-1") -> dict[str, Any]:
    return {"SubnetId": f"subnet-{number}", "VpcId": vpc, "AvailabilityZone": zone}


RIGHT = [subnet(1, "a"), subnet(2, "b"), subnet(3, "a"), subnet(4, "b")]


def subject(folder: Path, given: Any, vpcs: Any = (), subnets: Any = ()) -> Subject:
    def described(Filters: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        return {"Subnets": [one for one in subnets if one["SubnetId"] in Filters[0]["Values"]]}

    answers: Any = {("ec2", "describe_vpcs"): {"Vpcs": vpcs}, ("ec2", "describe_subnets"): described}
    cdk_json = written(folder, dev={"existingVpc": given} if given else {})
    return Subject("dev", FakeAccount(answers), cdk_json=cdk_json)


def test_an_environment_with_its_own_vpc_has_no_finding(tmp_path: Path) -> None:
    assert list(existing_vpc(subject(tmp_path, None))) == []


def test_a_vpc_with_its_subnets_passes_and_takes_no_quota_of_networks(tmp_path: Path) -> None:
    found = subject(tmp_path, GIVEN, [{"VpcId": "vpc-1"}], RIGHT)
    (check,) = existing_vpc(found)
    assert check.verdict is Verdict.OK
    assert (found.settings.networks, found.settings.nat_gateways) == (0, 0)


@pytest.mark.parametrize(
    ("vpcs", "subnets", "says"),
    [
        ([], RIGHT, "there is no VPC vpc-1 in this account and region"),
        ([{}], RIGHT[1:], "there is no subnet subnet-1"),
        ([{}], [subnet(1, "a", "vpc-2"), *RIGHT[1:]], "subnet subnet-1 is in vpc-2"),
        ([{}], [*RIGHT[:3], subnet(4, "a")], "the privateSubnetIds are all in a"),
    ],
)
def test_what_is_wrong_is_an_error_with_the_remedy(
    tmp_path: Path, vpcs: list[Any], subnets: list[Any], says: str
) -> None:
    (check,) = existing_vpc(subject(tmp_path, GIVEN, vpcs, subnets))
    assert (check.verdict, check.found) == (Verdict.ERROR, says)
    assert check.remedy == "correct existingVpc of dev in cdk.json"
