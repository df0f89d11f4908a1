"""The state of an alarm, from its datapoints."""

import pytest

from local_aws.ministack.cloudwatch import alarm_state

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
