"""How many tasks target tracking wants."""

import pytest

from local_aws.services.application_autoscaling.tracking import wanted_capacity


@pytest.mark.parametrize(
    ("current", "metric", "target", "out", "wanted"),
    [
        (2, 120.0, 60.0, True, 4),
        (3, 61.0, 60.0, True, 4),
        (3, 0.2, 0.1, True, 6),
        (4, 15.0, 60.0, False, 1),
        (4, 50.0, 60.0, False, 4),
        (2, 0.0, 60.0, False, 0),
        # An alarm whose metric has passed the target meanwhile never scales in the other direction.
        (4, 10.0, 60.0, True, 4),
        (4, 90.0, 60.0, False, 4),
    ],
)
def test_the_capacity_is_proportional_and_rounded_up(
    current: int, metric: float, target: float, out: bool, wanted: int
) -> None:
    assert wanted_capacity(current, metric, target, out=out) == wanted
