"""The state of an alarm, from its datapoints."""

import pytest

from local_aws.ministack.alarm_evaluation import alarm_state, evaluate

ALARM = {
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "EvaluationPeriods": 2,
    "StateValue": "OK",
    "TreatMissingData": "notBreaching",
}


@pytest.mark.parametrize(
    ("datapoints", "changed", "state"),
    [
        ([1.0, 2.0], {}, "ALARM"),
        ([0.0, 2.0], {}, "OK"),
        ([0.0, 2.0], {"DatapointsToAlarm": 1}, "ALARM"),
        ([None, 2.0], {}, "OK"),
        ([None, 2.0], {"TreatMissingData": "breaching"}, "ALARM"),
        ([None, None], {}, "OK"),
        ([None, None], {"TreatMissingData": "missing"}, "INSUFFICIENT_DATA"),
        ([None, 5.0], {"TreatMissingData": "ignore", "StateValue": "ALARM"}, "ALARM"),
        ([0.0, 0.0], {"ComparisonOperator": "LessThanThreshold"}, "ALARM"),
    ],
)
def test_the_state_of_an_alarm_follows_its_periods(
    datapoints: list[float | None], changed: dict[str, object], state: str
) -> None:
    assert alarm_state({**ALARM, **changed}, datapoints) == state


@pytest.mark.parametrize(("samples", "state"), [(199, "OK"), (200, "ALARM")])
@pytest.mark.parametrize("setting", ["ignore", "evaluate"])
def test_a_percentile_of_few_samples_changes_no_state_if_they_are_ignored(
    samples: int, state: str, setting: str
) -> None:
    """For p95, 10 / (1 - 0.95) samples are significant."""
    alarm = {
        **ALARM,
        "ExtendedStatistic": "p95",
        "Period": 60,
        "EvaluateLowSampleCountPercentile": setting,
    }
    periods = [[{"Value": 2.0, "Count": float(samples)}]] * 2
    expected = "ALARM" if setting == "evaluate" else state
    assert evaluate(alarm, lambda _metric, _period: periods) == expected
