"""Latencies are published so that CloudWatch can compute percentiles of them, and requests per target."""

import time

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import ACCOUNT
from local_aws.services.elbv2.metrics import MOST_VALUES, Metrics, rounded
from local_aws.services.elbv2.records import Target, TargetGroup, TargetHealthCheck
from local_aws.services.elbv2.targets import GroupState, TargetState

PER_TARGET = "RequestCountPerTarget"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1"


def test_each_latency_counts_and_no_datum_has_more_values_than_aws_accepts() -> None:
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
def test_a_latency_keeps_two_significant_digits(seconds: float, shown: float) -> None:
    assert rounded(seconds) == shown


def hosts(*states: str) -> GroupState:
    """Return a target group whose targets are in these states."""
    check = TargetHealthCheck()
    targets = tuple(Target(f"10.0.0.{number}", 8080) for number in range(len(states)))
    group = GroupState(TargetGroup(GROUP, 8080, check, load_balancer=BALANCER), Clock())
    group.targets = {
        target: TargetState(target, state) for target, state in zip(targets, states, strict=True)
    }
    return group


@pytest.mark.parametrize(
    ("states", "each"),
    [
        (("healthy", "healthy", "unhealthy"), 3.0),
        # Without a healthy target, the load balancer sends to all of them.
        (("unhealthy", "unhealthy", "initial"), 2.0),
    ],
)
def test_requests_per_target_are_those_of_the_healthy_targets(states: tuple[str, ...], each: float) -> None:
    metrics = Metrics()
    for _ in range(6):
        metrics.count_request(BALANCER, GROUP)
    data = [one for one in metrics.take([hosts(*states)])[ACCOUNT] if one["MetricName"] == PER_TARGET]
    assert [(one["Value"], len(one["Dimensions"])) for one in data] == [(each, 2)]
    # The metric has no value in a minute without requests.
    assert PER_TARGET not in [one["MetricName"] for one in metrics.take([hosts(*states)])[ACCOUNT]]
