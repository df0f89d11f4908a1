"""Latencies arrive in CloudWatch so that a percentile of them can be told."""

import time

import pytest

from local_aws.core.context import ACCOUNT
from local_aws.services.elbv2.metrics import MOST_VALUES, Metrics, rounded

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1"


def test_each_latency_counts_and_no_datum_has_more_values_than_aws_takes() -> None:
    metrics = Metrics()
    now = time.monotonic()
    for number in range(1, 2000):
        metrics.count_response(BALANCER, GROUP, 200, now - number / 1000 - number)
    data = [each for each in metrics.take([])[ACCOUNT] if each["MetricName"] == "TargetResponseTime"]
    assert len(data) > 2, "more values than one datum takes"
    for each in data:
        assert len(each["Values"]) == len(each["Counts"]) <= MOST_VALUES
    of_group = [each for each in data if len(each["Dimensions"]) == 2]
    assert sum(count for each in of_group for count in each["Counts"]) == 1999


@pytest.mark.parametrize(("seconds", "shown"), [(0.012345, 0.012), (1.999, 2.0), (0.0, 0.0), (59.4, 59.0)])
def test_a_latency_keeps_two_digits(seconds: float, shown: float) -> None:
    assert rounded(seconds) == shown
