"""CloudWatch metrics of the load balancers: counted per request, published every few seconds."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any

from local_aws.services.elbv2.targets import GroupState

NAMESPACE = "AWS/ApplicationELB"
# Load balancer, target group ("" for what the load balancer itself answered), metric.
Key = tuple[str, str, str]


def dimension(arn: str) -> str:
    """Return a dimension's value: the ARN's end (`app/name/id`, `targetgroup/name/id`)."""
    resource = arn.split(":", 5)[5]
    return resource.removeprefix("loadbalancer/")


# What PutMetricData takes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
MOST_VALUES = 150


def rounded(seconds: float) -> float:
    """Return a latency to two digits: few values, each often, so that percentiles stay possible."""
    return float(f"{seconds:.1e}")


class Metrics:
    """Counters since the last `take`; safe between the data plane's thread and the publisher's."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[Key] = Counter()
        self._latency: dict[tuple[str, str], Counter[float]] = {}

    def answered(self, balancer: str, group: str, status: int, started: float) -> None:
        """Count an answer of a target; `started` is a moment of `time.monotonic`."""
        with self._lock:
            self._counts[balancer, group, "RequestCount"] += 1
            self._counts[balancer, group, f"HTTPCode_Target_{status // 100}XX_Count"] += 1
            self._latency.setdefault((balancer, group), Counter())[rounded(time.monotonic() - started)] += 1

    def refused(self, balancer: str, status: int) -> None:
        """Count an error that the load balancer itself answered."""
        with self._lock:
            self._counts[balancer, "", f"HTTPCode_ELB_{status // 100}XX_Count"] += 1

    def take(self, groups: Iterable[GroupState]) -> dict[str, list[dict[str, Any]]]:
        """Return what PutMetricData is to be told in each account, and start counting anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            latency, self._latency = self._latency, {}
        data: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for (balancer, group, name), value in counts.items():
            data[_account(balancer)] += _datum(name, balancer, group, Value=float(value), Unit="Count")
        for (balancer, group), seen in latency.items():
            for some in _by(MOST_VALUES, list(seen.items())):
                values = {
                    "Values": [value for value, _ in some],
                    "Counts": [float(count) for _, count in some],
                }
                data[_account(balancer)] += _datum(
                    "TargetResponseTime", balancer, group, **values, Unit="Seconds"
                )
        for balancer, datum in _host_counts(groups):
            data[_account(balancer)].append(datum)
        return data


def _account(balancer: str) -> str:
    return balancer.split(":")[4]


def _by(size: int, items: list[tuple[float, int]]) -> Iterator[list[tuple[float, int]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _host_counts(groups: Iterable[GroupState]) -> Iterator[tuple[str, dict[str, Any]]]:
    for state in groups:
        balancer = state.group.load_balancer
        if balancer is None:
            continue
        # A target that is still registering is neither.
        states = [target.state for target in state.registered()]
        for name, counted in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
            count = states.count(counted)
            yield balancer, _datum(name, balancer, state.group.arn, Value=float(count), Unit="Count")[-1]


def _datum(name: str, balancer: str, group: str, **value: Any) -> list[dict[str, Any]]:
    """Return the metric for the load balancer, and for its target group when there is one."""
    whole = [{"Name": "LoadBalancer", "Value": dimension(balancer)}]
    data = [{"MetricName": name, "Dimensions": whole, **value}]
    if group:
        of_group = [{"Name": "TargetGroup", "Value": dimension(group)}, *whole]
        data.append({"MetricName": name, "Dimensions": of_group, **value})
    return data
