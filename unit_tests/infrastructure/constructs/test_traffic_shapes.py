"""Which alarms are in ALARM for which traffic: the synthesized alarms, evaluated by local_aws's CloudWatch.

The load balancer's metrics are those that local_aws publishes for the requests of a shape.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.ministack.alarm_evaluation import evaluate
from local_aws.ministack.metric_alarms import ACTIONS, denial_reason
from local_aws.services.elbv2.metrics import MetricDatum, Metrics
from unit_tests.infrastructure.synthesized import Templates, plain

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
BALANCER = f"{PREFIX}:loadbalancer/app/load-balancer-dev/1"
GROUPS = {colour: f"{PREFIX}:targetgroup/target-group-{colour}-dev/1" for colour in ("blue", "green")}
TOPIC = "arn:aws:sns:us-east-1:123456789012:notifications-dev"
MINUTES = 5
# By metric, target group or rule.
Points = dict[tuple[str, str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Minute:
    """What happens in a minute; every mapping counts.

    `blue` and `green` have the responses of their tasks by status, which take `seconds`. `balancer` has the
    load balancer's own by status: those of 502 and 504 had a target. `hosts` has healthy and unhealthy tasks.
    """

    blue: Mapping[int, int] = field(default_factory=dict)
    green: Mapping[int, int] = field(default_factory=dict)
    balancer: Mapping[int, int] = field(default_factory=dict)
    seconds: float = 0.05
    hosts: Mapping[str, tuple[int, int]] = field(default_factory=lambda: {"blue": (2, 0)})
    failed_invocations: int = 0


NOTHING_YET = Minute(hosts={})
BUSY = 10_000
QUIET = {
    "nobody sends a request": Minute(),
    "a few requests": Minute(blue={200: 3}),
    "one error among a few requests": Minute(blue={200: 2, 500: 1}),
    "four errors and nothing else": Minute(blue={500: 4}, balancer={502: 4}),
    "a few slow requests": Minute(blue={200: 20}, seconds=5.0),
}
HEALTHY = {
    "busy": Minute(blue={200: BUSY}),
    "busy, 0.05 % errors": Minute(blue={200: BUSY - 5, 503: 5}, balancer={502: 5}),
    "busy in the middle of a release": Minute(
        blue={200: BUSY * 9 // 10}, green={200: BUSY // 10}, hosts={"blue": (2, 0), "green": (2, 0)}
    ),
    "after a release": Minute(green={200: BUSY}, hosts={"green": (2, 0)}),
}
HOSTILE = {
    f"{kind}, {status} by the load balancer": Minute(blue={200: requests}, balancer={status: 500})
    for kind, requests in (("quiet", 3), ("busy", BUSY))
    for status in (400, 414, 460, 463, 464, 501, 505, 561)
} | {"a flood of 404 and 403": Minute(blue={200: 100, 404: BUSY, 403: BUSY})}
BROKEN: dict[str, tuple[Sequence[Minute], set[str]]] = {
    "a canary fails half of its requests": (
        [Minute(blue={200: 900}, green={200: 50, 500: 50}, hosts={"blue": (2, 0), "green": (2, 0)})],
        {"errors-green"},
    ),
    "a release fails 2 % of a busy service": ([Minute(blue={200: 9_800, 502: 200})], {"errors-blue"}),
    "every request of a quiet service fails": ([Minute(blue={500: 6})], {"errors-blue"}),
    "tasks close connections": ([Minute(blue={200: 900}, balancer={502: 100})], {"load-balancer-errors"}),
    "tasks answer too late": ([Minute(blue={200: 90}, balancer={504: 10})], {"load-balancer-errors"}),
    "one bad minute": ([Minute(blue={500: 60}), Minute(blue={200: 60}), Minute()], {"errors-blue"}),
    "the data of the last two minutes is late": (
        [Minute(blue={500: 60}), NOTHING_YET, NOTHING_YET],
        {"errors-blue"},
    ),
    "slow": ([Minute(blue={200: 500}, seconds=3.0)], {"latency-blue"}),
    "no task, and nobody notices": ([Minute(hosts={})], {"no-healthy-task"}),
    "no task, and users get 503": (
        [Minute(balancer={503: 50}, hosts={})],
        {"no-healthy-task", "load-balancer-errors"},
    ),
    "every task fails its health checks": (
        [Minute(blue={200: 50}, hosts={"blue": (0, 2)})],
        {"no-healthy-task", "unhealthy-blue"},
    ),
    "one of two tasks fails its health checks": (
        [Minute(blue={200: 50}, hosts={"blue": (1, 1)})],
        {"unhealthy-blue"},
    ),
    "a rule cannot deliver": ([Minute(failed_invocations=1)], {"failed-invocations"}),
}
SHAPES: dict[str, tuple[Sequence[Minute], set[str]]] = {
    **{name: ([minute], set()) for name, minute in (QUIET | HEALTHY | HOSTILE).items()},
    "the hosts of the last two minutes are late": ([Minute(), NOTHING_YET, NOTHING_YET], set()),
    "a minute without a task": ([Minute(), Minute(hosts={}), Minute()], set()),
    **BROKEN,
}


def points(minute: Minute) -> Points:
    """Return the points that one minute publishes."""
    metrics, now = Metrics(), time.monotonic()
    for colour, responses in (("blue", minute.blue), ("green", minute.green)):
        for status in Counter(responses).elements():
            metrics.count_request(BALANCER, GROUPS[colour])
            metrics.count_response(BALANCER, GROUPS[colour], status, now - minute.seconds)
    for status in Counter(minute.balancer).elements():
        metrics.count_error(BALANCER, status)
        if status in (502, 504):
            metrics.count_request(BALANCER, GROUPS["blue"])
    groups: Any = [_group(colour, *counts) for colour, counts in minute.hosts.items()]
    found: Points = {}
    for data in metrics.take(groups).values():
        for datum in data:
            found.setdefault((datum["MetricName"], _colour(datum)), []).extend(_stored(datum))
    if minute.failed_invocations:
        found["FailedInvocations", "source-rule-dev"] = [{"Value": float(minute.failed_invocations)}]
    return found


def _group(colour: str, healthy: int, unhealthy: int) -> SimpleNamespace:
    targets = [SimpleNamespace(state=state) for state in ["healthy"] * healthy + ["unhealthy"] * unhealthy]
    group = SimpleNamespace(load_balancer=BALANCER, arn=GROUPS[colour])
    return SimpleNamespace(group=group, registered=lambda: targets)


def _colour(datum: MetricDatum) -> str:
    values = {each["Name"]: each["Value"] for each in datum["Dimensions"]}
    return next((colour for colour in GROUPS if f"-{colour}-" in values.get("TargetGroup", "")), "")


def _stored(datum: MetricDatum) -> list[dict[str, Any]]:
    if "Values" not in datum:
        return [{"Value": datum["Value"]}]
    pairs = zip(datum["Values"], datum["Counts"], strict=True)
    return [{"Value": value, "Count": count} for value, count in pairs]


def in_alarm(templates: Templates, minutes: Sequence[Minute]) -> set[str]:
    """Return the alarms in ALARM after these minutes, the first one repeated before them."""
    series = [points(minute) for minute in minutes]
    series = [series[0]] * (MINUTES - len(series)) + series
    rules = {rule.id: rule.properties["Name"] for rule in templates.resources("AWS::Events::Rule")}
    found = set()
    for alarm in templates.resources("AWS::CloudWatch::Alarm"):
        count = alarm.properties["EvaluationPeriods"]

        def points_of(metric: Mapping[str, Any], period: int, count: int = count) -> list[Any]:
            assert period == 60
            return [minute.get((metric["MetricName"], _of(metric, rules)), []) for minute in series[-count:]]

        if evaluate({"StateValue": "OK", **alarm.properties}, points_of) == "ALARM":
            found.add(_kind(alarm.properties["AlarmName"]))
    return found


def _kind(name: str) -> str:
    """Return an alarm's name without suffix and number: alarms on many rules have several."""
    return re.sub(r"(-\d+)?-dev$", "", name)


def _of(metric: Mapping[str, Any], rules: Mapping[str, str]) -> str:
    values = {each["Name"]: str(plain(each["Value"])) for each in metric["Dimensions"]}
    if "RuleName" in values:
        return rules.get(values["RuleName"].strip("<>"), "")
    return next((colour for colour in GROUPS if colour.title() in values.get("TargetGroup", "")), "")


@pytest.mark.parametrize("shape", SHAPES)
def test_exactly_the_alarms_of_a_shape_are_in_alarm(templates: Templates, shape: str) -> None:
    """Strangers and single errors raise none, every kind of outage its own (pitfalls N9, N10, G5)."""
    minutes, expected = SHAPES[shape]
    assert in_alarm(templates, minutes) == expected


def test_every_alarm_is_raised_by_a_shape(templates: Templates) -> None:
    """Of the two colours one is enough."""
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    kinds = {_kind(each.properties["AlarmName"]).replace("-green", "-blue") for each in alarms}
    raised = {alarm.replace("-green", "-blue") for _, alarms in BROKEN.values() for alarm in alarms}
    # It is about a function, and not about traffic.
    assert raised == kinds - {"drift-check-errors"}


def test_cloudwatch_accepts_every_alarm(templates: Templates) -> None:
    for alarm in templates.resources("AWS::CloudWatch::Alarm"):
        actions = {key: [TOPIC] for key in set(ACTIONS) & alarm.properties.keys()}
        assert denial_reason({**alarm.properties, **actions}) is None
