"""Service Quotas: AWS's defaults, and no answer for what is not known."""

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
    which = {"ServiceCode": "codebuild", "QuotaCode": "L-9D07B6EF"}
    found = quotas.call("GetServiceQuota", which)["Quota"]
    assert (found["QuotaName"], found["Value"]) == (
        "Concurrently running builds for Linux/Small environment",
        1.0,
    )
    assert quotas.call("GetAWSDefaultServiceQuota", which)["Quota"] == found


def test_a_services_quotas_are_listed(quotas: ServiceQuotas) -> None:
    found = quotas.call("ListServiceQuotas", {"ServiceCode": "vpc"})["Quotas"]
    assert [one["QuotaCode"] for one in found] == [one.code for one in QUOTAS if one.service == "vpc"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetServiceQuota", {"ServiceCode": "vpc", "QuotaCode": "L-00000000"}),
        ("GetServiceQuota", {"ServiceCode": "ec2", "QuotaCode": "L-F678F1CE"}),
        ("ListServiceQuotas", {"ServiceCode": "s3"}),
    ],
)
def test_what_is_not_known_has_no_value(
    quotas: ServiceQuotas, operation: str, params: dict[str, str]
) -> None:
    with pytest.raises(AwsError, match="NoSuchResourceException"):
        quotas.call(operation, params)
