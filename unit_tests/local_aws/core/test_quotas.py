"""A quota is AWS's default until someone changes it, and is restored without a number."""

import pytest

from local_aws.core.quotas import QUOTAS, change_quota, quota_error

ROLE = ("iam", "CreateRole")


def test_one_more_than_the_quota_is_refused() -> None:
    most = QUOTAS[ROLE].most
    assert quota_error(*ROLE, most - 1) is None
    assert quota_error(*ROLE, most) == ("LimitExceeded", "The limit for roles has been reached: 1000")


def test_a_quota_can_be_changed_and_restored() -> None:
    assert change_quota(*ROLE, "3") == 3
    assert quota_error(*ROLE, 3) == ("LimitExceeded", "The limit for roles has been reached: 3")
    assert change_quota(*ROLE, "") == QUOTAS[ROLE].most
    assert quota_error(*ROLE, 3) is None


@pytest.mark.parametrize(
    ("operation", "most", "reason"),
    [("DeleteRole", "3", "iam:DeleteRole has no quota here"), ("CreateRole", "-1", "it must be a number")],
)
def test_what_is_no_quota_or_no_number_is_refused(operation: str, most: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        change_quota("iam", operation, most)
