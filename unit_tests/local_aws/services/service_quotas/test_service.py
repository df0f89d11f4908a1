"""Service Quotas returns AWS's defaults, and an error for a quota that it does not have."""

from pathlib import Path

import pytest

from local_aws.core.api import AwsError
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.service_quotas.service import QUOTAS, ServiceQuotas


@pytest.fixture
def quotas(tmp_path: Path) -> ServiceQuotas:
    return ServiceQuotas(Context(tmp_path, "http://127.0.0.1:1", Clock(1.0), "test", emit=lambda *_: None))


def test_a_quota_has_awss_default_value(quotas: ServiceQuotas) -> None:
    quota = {"ServiceCode": "codebuild", "QuotaCode": "L-9D07B6EF"}
    found = quotas.call("GetServiceQuota", quota)["Quota"]
    assert (found["QuotaName"], found["Value"]) == (
        "Concurrently running builds for Linux/Small environment",
        1.0,
    )
    assert quotas.call("GetAWSDefaultServiceQuota", quota)["Quota"] == found


def test_the_quotas_of_a_service_are_listed(quotas: ServiceQuotas) -> None:
    found = quotas.call("ListServiceQuotas", {"ServiceCode": "vpc"})["Quotas"]
    assert [item["QuotaCode"] for item in found] == [quota.code for quota in QUOTAS if quota.service == "vpc"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetServiceQuota", {"ServiceCode": "vpc", "QuotaCode": "L-00000000"}),
        ("GetServiceQuota", {"ServiceCode": "ec2", "QuotaCode": "L-F678F1CE"}),
        ("ListServiceQuotas", {"ServiceCode": "s3"}),
    ],
)
def test_an_unknown_quota_or_service_is_refused(
    quotas: ServiceQuotas, operation: str, params: dict[str, str]
) -> None:
    with pytest.raises(AwsError, match="NoSuchResourceException"):
        quotas.call(operation, params)
