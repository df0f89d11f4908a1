"""Each condition operator, with a request for which it holds and one for which it does not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from typing import Any

import pytest

from local_aws.iam.conditions import holds
from local_aws.iam.documents import Condition

ARN = "arn:aws:sns:us-east-1:111111111111:topic"


def check(operator: str, wanted: Any, actual: Any) -> bool:
    values = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
    given = {} if actual is None else {"aws:key": actual}
    return holds(Condition(operator, "aws:Key", values), given, variables=True)


@pytest.mark.parametrize(
    ("operator", "wanted", "passes", "fails"),
    [
        ("StringEquals", "a", "a", "A"),
        ("StringEquals", ["a", "b"], "b", "c"),
        ("StringNotEquals", "a", "b", "a"),
        ("StringNotEquals", ["a", "b"], "c", "b"),
        ("StringEqualsIgnoreCase", "a", "A", "b"),
        ("StringNotEqualsIgnoreCase", "a", "b", "A"),
        ("StringLike", "a*c?", "abbcd", "abbc"),
        ("StringNotLike", "a*", "b", "ab"),
        ("StringEquals", "a*", "a*", "ab"),
        ("NumericEquals", "10", "10.0", "11"),
        ("NumericNotEquals", "10", "11", "10"),
        ("NumericLessThan", "10", "9", "10"),
        ("NumericLessThanEquals", "10", "10", "11"),
        ("NumericGreaterThan", "10", "11", "10"),
        ("NumericGreaterThanEquals", "10", "10", "9"),
        ("NumericLessThan", "10", "9", "many"),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-02T00:00:00Z"),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
        ("DateLessThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "1798761600", "2026-01-01T00:00:00Z"),
        ("DateGreaterThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"),
        ("Bool", "true", "true", "false"),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "b3RoZXI="),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", "203.0.114.9"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "2001:db9::1"),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.9", "203.0.113.9"),
        ("ArnEquals", "arn:aws:sns:*:111111111111:t*", ARN, "arn:aws:sqs:us-east-1:111111111111:topic"),
        ("ArnLike", "arn:aws:sns:us-east-1:*:topic", ARN, "arn:aws:sns:us-east-1:1:2:topic"),
        ("ArnNotEquals", ARN, f"{ARN}2", ARN),
        ("ArnNotLike", "arn:aws:sns:*:*:topic", f"{ARN}2", ARN),
    ],
)
def test_an_operator_compares(operator: str, wanted: Any, passes: str, fails: str) -> None:
    assert check(operator, wanted, passes)
    assert not check(operator, wanted, fails)


@pytest.mark.parametrize(
    ("operator", "passes"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("NumericLessThan", False),
        ("Bool", False),
        ("BoolIfExists", True),
        ("NotIpAddress", True),
        ("ArnLike", False),
        ("ArnNotLike", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_condition_on_a_missing_key(operator: str, passes: bool) -> None:
    assert check(operator, "true", None) is passes


def test_if_exists_compares_a_present_key() -> None:
    assert not check("StringEqualsIfExists", "a", "b")


def test_null_tests_whether_the_key_is_present() -> None:
    assert check("Null", "true", None)
    assert not check("Null", "true", "x")
    assert check("Null", "false", "x")
    assert not check("Null", "false", None)


@pytest.mark.parametrize(
    ("operator", "wanted", "passes", "fails"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), ("a", "c")),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), ("c", "d")),
        ("ForAllValues:StringNotEquals", ["a"], ("b", "c"), ("a", "b")),
        ("ForAnyValue:StringNotEquals", ["a"], ("a", "b"), ("a",)),
        ("ForAnyValue:StringLike", ["x*"], ("y", "x1"), ("y",)),
    ],
)
def test_a_condition_on_a_multivalued_key(operator: str, wanted: Any, passes: Any, fails: Any) -> None:
    assert check(operator, wanted, passes)
    assert not check(operator, wanted, fails)


def test_an_unknown_operator_never_holds() -> None:
    assert not check("StringMatches", "a", "a")
    assert not check("StringNotMatches", "a", "b")


def test_a_variable_in_a_condition_has_the_request_s_value() -> None:
    condition = Condition("StringEquals", "aws:RequestTag/owner", ("${aws:username}",))
    given = {"aws:requesttag/owner": "ann", "aws:username": "ann"}
    assert holds(condition, given, variables=True)
    assert not holds(condition, {**given, "aws:username": "bob"}, variables=True)
    assert not holds(condition, given, variables=False)
