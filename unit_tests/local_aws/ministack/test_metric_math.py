"""Metric math: what the alarms use, and the refusal of everything else."""

import pytest

from local_aws.ministack.metric_math import MetricMathError, Series, evaluate

SERIES: dict[str, Series] = {"a": [1.0, None, 4.0], "b": [2.0, 3.0, None], "none": [None, None, None]}


def value(expression: str) -> object:
    return evaluate(expression, SERIES, ["a", "b"])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", [3.0, None, None]),
        ("100 * a / b", [50.0, None, None]),
        ("a / (b - b)", [None, None, None]),
        ("FILL(a, 0) - 1", [0.0, -1.0, 3.0]),
        ("FILL(none, 0)", [0.0, 0.0, 0.0]),
        ("SUM([a, b])", [3.0, 3.0, 4.0]),
        ("SUM(METRICS())", [3.0, 3.0, 4.0]),
        ("SUM([none, none])", [None, None, None]),
        ("MAX([FILL(a, 0), b])", [2.0, 3.0, 4.0]),
        ("a - MIN(a)", [0.0, None, 3.0]),
        ("AVG([a, b])", [1.5, 3.0, 4.0]),
        ("a >= 2", [0.0, None, 1.0]),
        ("a > b", [0.0, 0.0, 1.0]),
        ("IF(a > b, a, 0)", [0.0, 0.0, 4.0]),
        ("IF(FILL(a, 0) >= 2, 1 / none, 7)", [7.0, 7.0, None]),
        ("a > 0 AND b > 1", [1.0, 0.0, 0.0]),
        ("a > 1 || b > 1", [1.0, 1.0, 1.0]),
        ("SUM(a)", 5.0),
    ],
)
def test_an_expression_is_evaluated_period_by_period(expression: str, expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "RATE(a)",
        "FILL(a, REPEAT)",
        "SEARCH('{AWS/ECS}', 'Sum', 60)",
        "a ^ 2",
        "a ** 2",
        "a < b < 1",
        "METRICS('a')",
        "unknown",
        "a +",
        "[a, b] + 1",
        "FILL(1, 0)",
        "a.b",
    ],
)
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(MetricMathError):
        value(expression)
