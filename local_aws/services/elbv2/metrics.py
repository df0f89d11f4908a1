"""CloudWatch metrics of the load balancers: counted for each request, published every few seconds.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import NotRequired, TypedDict

from local_aws.services.elbv2.targets import GroupState

NAMESPACE = "AWS/ApplicationELB"
# How many values a datum may have.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
MOST_VALUES = 150
# The load balancer's own errors that have a metric of their own, besides that of all 4XX or 5XX.
COUNTED_STATUSES = (500, 502, 503, 504)

# Load balancer, target group ("" for a response of the load balancer itself), metric.
Key = tuple[str, str, str]


class Dimension(TypedDict):
    """Dimension."""

    Name: str
    Value: str


class MetricValue(TypedDict):
    """The values of a MetricDatum: one value, or several with their counts."""

    Unit: str
    Value: NotRequired[float]
    Values: NotRequired[list[float]]
    Counts: NotRequired[list[float]]


class MetricDatum(MetricValue):
    """MetricDatum."""

    MetricName: str
    Dimensions: list[Dimension]


def dimension(arn: str) -> str:
    """Return a dimension's value: the ARN's end (`app/name/id`, `targetgroup/name/id`)."""
    resource = arn.split(":", 5)[5]
    return resource.removeprefix("loadbalancer/")


def rounded(seconds: float) -> float:
    """Return a latency with two significant digits, so that few values stand for many requests."""
    return float(f"{seconds:.1e}")


class Metrics:
    """The counters since the last `take`. Its methods may run on any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[Key] = Counter()
        self._latency: dict[tuple[str, str], Counter[float]] = {}

    def count_request(self, balancer: str, group: str) -> None:
        """Count a request for which a target was chosen; AWS counts no other."""
        with self._lock:
            self._counts[balancer, group, "RequestCount"] += 1

    def count_response(self, balancer: str, group: str, status: int, started: float) -> None:
        """Count a target's response; `started` is a time of `time.monotonic`."""
        with self._lock:
            self._counts[balancer, group, f"HTTPCode_Target_{status // 100}XX_Count"] += 1
            self._latency.setdefault((balancer, group), Counter())[rounded(time.monotonic() - started)] += 1

    def count_error(self, balancer: str, status: int) -> None:
        """Count an error response of the load balancer itself."""
        with self._lock:
            self._counts[balancer, "", f"HTTPCode_ELB_{status // 100}XX_Count"] += 1
            if status in COUNTED_STATUSES:
                self._counts[balancer, "", f"HTTPCode_ELB_{status}_Count"] += 1

    def take(self, groups: Iterable[GroupState]) -> dict[str, list[MetricDatum]]:
        """Return PutMetricData's data by account, and reset the counters."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            latency, self._latency = self._latency, {}
        data: dict[str, list[MetricDatum]] = defaultdict(list)
        for (balancer, group, name), count in counts.items():
            data[_account(balancer)] += _data(name, balancer, group, {"Value": float(count), "Unit": "Count"})
        for balancer, datum in _per_target(counts, groups := list(groups)):
            data[_account(balancer)].append(datum)
        for (balancer, group), latencies in latency.items():
            for value in _latency_values(latencies):
                data[_account(balancer)] += _data("TargetResponseTime", balancer, group, value)
        for balancer, datum in _host_counts(groups):
            data[_account(balancer)].append(datum)
        return data


def _account(balancer: str) -> str:
    return balancer.split(":")[4]


def _latency_values(latencies: Counter[float]) -> Iterator[MetricValue]:
    items = list(latencies.items())
    for start in range(0, len(items), MOST_VALUES):
        part = items[start : start + MOST_VALUES]
        yield {
            "Values": [value for value, _ in part],
            "Counts": [float(count) for _, count in part],
            "Unit": "Seconds",
        }


def _per_target(counts: Counter[Key], groups: Iterable[GroupState]) -> Iterator[tuple[str, MetricDatum]]:
    """Yield RequestCountPerTarget: by the healthy targets, or by all when none is healthy; its sum counts."""
    for state in groups:
        balancer, targets = state.group.load_balancer, state.registered()
        count = counts[balancer or "", state.group.arn, "RequestCount"]
        if balancer is None or not targets or not count:
            continue
        healthy = sum(target.state == "healthy" for target in targets)
        value: MetricValue = {"Value": count / (healthy or len(targets)), "Unit": "Count"}
        yield balancer, _data("RequestCountPerTarget", balancer, state.group.arn, value)[-1]


def _host_counts(groups: Iterable[GroupState]) -> Iterator[tuple[str, MetricDatum]]:
    for state in groups:
        balancer = state.group.load_balancer
        # A target in registration is counted as neither.
        states = [target.state for target in state.registered()]
        # AWS reports the metrics of a group only if it has registered targets.
        if balancer is None or not states:
            continue
        for name, counted in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
            value: MetricValue = {"Value": float(states.count(counted)), "Unit": "Count"}
            yield balancer, _data(name, balancer, state.group.arn, value)[-1]


def _data(name: str, balancer: str, group: str, value: MetricValue) -> list[MetricDatum]:
    """Return the datum of a load balancer, and that of its target group when there is one."""
    whole: list[Dimension] = [{"Name": "LoadBalancer", "Value": dimension(balancer)}]
    data: list[MetricDatum] = [{**value, "MetricName": name, "Dimensions": whole}]
    if group:
        of_group: list[Dimension] = [{"Name": "TargetGroup", "Value": dimension(group)}, *whole]
        data.append({**value, "MetricName": name, "Dimensions": of_group})
    return data
