"""What a load balancer was told to do, as plain data, and which rule and target group a request goes to."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from local_aws.services.elbv2.tls import Tls

Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """One registered target: an address and a port."""

    id: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """How a target group's targets are checked; `interval` in AWS's seconds, `timeout` in real ones."""

    path: str = "/"
    port: str = "traffic-port"
    interval: float = 30
    timeout: float = 5
    healthy: int = 5
    unhealthy: int = 2
    matcher: str = "200"

    def expects(self, status: int) -> bool:
        """Say whether the matcher (`200`, `200,302`, `200-299`) takes an answer's status."""
        for part in self.matcher.split(","):
            low, _, high = part.strip().partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass(frozen=True)
class TargetGroup:
    """A target group, its targets and whether a listener or rule uses it."""

    arn: str
    port: int
    health_check: HealthCheck
    targets: tuple[Target, ...] = ()
    deregistration_delay: float = 300
    load_balancer: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of a listener: its conditions (none: the default) and its final action, in the API's shape."""

    conditions: tuple[Mapping[str, Any], ...]
    action: Mapping[str, Any]


@dataclass(frozen=True)
class Listener:
    """A listener with its rules in the order they are tried; the last one is the default."""

    arn: str
    load_balancer: str
    dns_name: str
    port: int
    rules: tuple[Rule, ...]
    idle_timeout: float = 60
    attributes: Attributes = field(default_factory=dict)
    tls: Tls | None = None

    @property
    def protocol(self) -> str:
        """What its clients speak."""
        return "HTTP" if self.tls is None else "HTTPS"


@dataclass(frozen=True)
class Snapshot:
    """All that the data plane is to do at one moment."""

    listeners: Mapping[str, Listener] = field(default_factory=dict)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)


def weights(action: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the target groups of a forward action with their weights."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if not groups:
        return [(action["TargetGroupArn"], 1)]
    return [(group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups]


class WeightedChoice:
    """Spread requests over target groups exactly by weight, without a run of luck (smooth round robin)."""

    def __init__(self) -> None:
        self._credit: dict[str, int] = {}

    def choose(self, options: Sequence[tuple[str, int]]) -> str | None:
        """Return the next target group; None when every weight is 0."""
        eligible = [(arn, weight) for arn, weight in options if weight > 0]
        if len(eligible) < 2:
            return eligible[0][0] if eligible else None
        self._credit = {arn: self._credit.get(arn, 0) + weight for arn, weight in eligible}
        chosen = max(self._credit, key=self._credit.__getitem__)
        self._credit[chosen] -= sum(weight for _, weight in eligible)
        return chosen


@dataclass(frozen=True)
class Asked:
    """The parts of a request that rules look at; header names in lower case."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]


def choose_action(listener: Listener, asked: Asked) -> Mapping[str, Any]:
    """Return the action of the first rule whose conditions all hold."""
    for rule in listener.rules:
        if all(_matches(condition, asked) for condition in rule.conditions):
            return rule.action
    raise ValueError(f"listener {listener.arn} has no default rule")


def _matches(condition: Mapping[str, Any], asked: Asked) -> bool:
    return CONDITIONS[condition["Field"]](condition, asked)


def _values(condition: Mapping[str, Any]) -> list[str]:
    return list(condition.get("Values", []))


def _path(condition: Mapping[str, Any], asked: Asked) -> bool:
    return any(_glob(pattern, asked.path) for pattern in _values(condition))


def _host(condition: Mapping[str, Any], asked: Asked) -> bool:
    host = asked.host.partition(":")[0].lower()
    return any(_glob(pattern.lower(), host) for pattern in _values(condition))


def _method(condition: Mapping[str, Any], asked: Asked) -> bool:
    return asked.method in _values(condition)


def _header(condition: Mapping[str, Any], asked: Asked) -> bool:
    config = condition["HttpHeaderConfig"]
    value = asked.headers.get(config["HttpHeaderName"].lower())
    if value is None:
        return False
    return any(_glob(pattern.lower(), value.lower()) for pattern in config["Values"])


def _glob(pattern: str, value: str) -> bool:
    # ELB knows only * and ?; fnmatch's sets in brackets must not act.
    return fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


# The conditions the data plane can decide; the control plane refuses a rule with any other.
CONDITIONS: dict[str, Callable[[Mapping[str, Any], Asked], bool]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-request-method": _method,
    "http-header": _header,
}
