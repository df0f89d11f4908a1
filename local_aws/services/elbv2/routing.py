"""Which rule of a listener a request matches, and which target group it goes to."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local_aws.services.elbv2.records import Listener


def weights(action: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the target groups of a forward action with their weights."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if not groups:
        return [(action["TargetGroupArn"], 1)]
    return [(group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups]


class WeightedChoice:
    """Chooses target groups exactly by weight, evenly spread (smooth weighted round robin)."""

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
class RequestAttributes:
    """The parts of a request that rules match; header names in lower case."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]


def choose_action(listener: Listener, request: RequestAttributes) -> Mapping[str, Any]:
    """Return the action of the first rule whose conditions all hold."""
    for rule in listener.rules:
        if all(_matches(condition, request) for condition in rule.conditions):
            return rule.action
    raise ValueError(f"listener {listener.arn} has no default rule")


def _matches(condition: Mapping[str, Any], request: RequestAttributes) -> bool:
    return CONDITIONS[condition["Field"]](condition, request)


def _values(condition: Mapping[str, Any]) -> list[str]:
    return list(condition.get("Values", []))


def _path(condition: Mapping[str, Any], request: RequestAttributes) -> bool:
    return any(_glob(pattern, request.path) for pattern in _values(condition))


def _host(condition: Mapping[str, Any], request: RequestAttributes) -> bool:
    host = request.host.partition(":")[0].lower()
    return any(_glob(pattern.lower(), host) for pattern in _values(condition))


def _method(condition: Mapping[str, Any], request: RequestAttributes) -> bool:
    return request.method in _values(condition)


def _header(condition: Mapping[str, Any], request: RequestAttributes) -> bool:
    config = condition["HttpHeaderConfig"]
    value = request.headers.get(config["HttpHeaderName"].lower())
    if value is None:
        return False
    return any(_glob(pattern.lower(), value.lower()) for pattern in config["Values"])


def _glob(pattern: str, value: str) -> bool:
    # ELB has the wildcards * and ? only; brackets must not start one of fnmatch's sets.
    return fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


# The conditions that the data plane implements; the control plane refuses others.
CONDITIONS: dict[str, Callable[[Mapping[str, Any], RequestAttributes], bool]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-request-method": _method,
    "http-header": _header,
}
