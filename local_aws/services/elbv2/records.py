"""The listeners and target groups that the data plane serves, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """One registered target: an address and a port."""

    id: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """A target group's health check settings; `interval` in AWS's seconds, `timeout` in real seconds."""

    path: str = "/"
    port: str = "traffic-port"
    interval: float = 30
    timeout: float = 5
    healthy: int = 5
    unhealthy: int = 2
    matcher: str = "200"

    def expects(self, status: int) -> bool:
        """Return whether the matcher (`200`, `200,302`, `200-299`) matches a status."""
        for part in self.matcher.split(","):
            low, _, high = part.strip().partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass(frozen=True)
class TargetGroup:
    """A target group, its targets, and the load balancer that uses it."""

    arn: str
    port: int
    health_check: HealthCheck
    targets: tuple[Target, ...] = ()
    deregistration_delay: float = 300
    load_balancer: str | None = None


@dataclass(frozen=True)
class Tls:
    """A listener's certificate with its chain and its key, all PEM, and the name of its security policy."""

    certificate: str
    key: str = field(repr=False)
    policy: str


@dataclass(frozen=True)
class ListenerRule:
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
    rules: tuple[ListenerRule, ...]
    idle_timeout: float = 60
    attributes: Attributes = field(default_factory=dict)
    tls: Tls | None = None

    @property
    def protocol(self) -> str:
        """The protocol of its clients."""
        return "HTTP" if self.tls is None else "HTTPS"


@dataclass(frozen=True)
class Snapshot:
    """The state of the control plane at one moment."""

    listeners: Mapping[str, Listener] = field(default_factory=dict)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)
