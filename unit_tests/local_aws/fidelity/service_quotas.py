"""Wrong calls of Service Quotas."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

QUOTA = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
VALID: Mapping[str, Mapping[str, Any]] = {
    "GetAWSDefaultServiceQuota": QUOTA,
    "GetServiceQuota": QUOTA,
    "ListServiceQuotas": {"ServiceCode": "vpc"},
}
WRONG = (
    Wrong("QuotaCode", "L-00000000", "NoSuchResourceException", ("ListServiceQuotas",)),
    Wrong("ServiceCode", "nope", "NoSuchResourceException"),
    Wrong("ServiceCode", "bad code!", "IllegalArgumentException"),
    Wrong("NextToken", "zz", "InvalidPaginationTokenException"),
)
SUITE = Suite("service-quotas", tuple(VALID), VALID, WRONG)
