"""What ELBv2 checks in requests, in AWS's words, before MiniStack stores them."""

import ipaddress
import re
from collections.abc import Iterable, Mapping

from local_aws.services.elbv2.errors import unsupported, validation_error

NAME_LENGTH = 32

# Attribute -> the values that the data plane implements. None: every value works or has no effect here.
LOAD_BALANCER_ATTRIBUTES: dict[str, frozenset[str] | None] = {
    "deletion_protection.enabled": None,
    "idle_timeout.timeout_seconds": None,
    "client_keep_alive.seconds": None,
    "routing.http.drop_invalid_header_fields.enabled": None,
    "routing.http.preserve_host_header.enabled": None,
    "routing.http.xff_client_port.enabled": frozenset({"false"}),
    "routing.http.xff_header_processing.mode": frozenset({"append", "preserve", "remove"}),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": frozenset({"false"}),
    "routing.http.desync_mitigation_mode": None,
    "routing.http2.enabled": None,
    "load_balancing.cross_zone.enabled": None,
    "zonal_shift.config.enabled": None,
    "waf.fail_open.enabled": None,
    "ipv6.deny_all_igw_traffic": None,
    "access_logs.s3.enabled": frozenset({"true", "false"}),
    "access_logs.s3.bucket": None,
    "access_logs.s3.prefix": None,
    "connection_logs.s3.enabled": frozenset({"false"}),
    "connection_logs.s3.bucket": None,
    "connection_logs.s3.prefix": None,
    "health_check_logs.s3.enabled": frozenset({"false"}),
    "health_check_logs.s3.bucket": None,
    "health_check_logs.s3.prefix": None,
}
TARGET_GROUP_ATTRIBUTES: dict[str, frozenset[str] | None] = {
    "deregistration_delay.timeout_seconds": None,
    "stickiness.enabled": frozenset({"false"}),
    "stickiness.type": None,
    "stickiness.lb_cookie.duration_seconds": None,
    "stickiness.app_cookie.cookie_name": None,
    "stickiness.app_cookie.duration_seconds": None,
    "load_balancing.algorithm.type": frozenset({"round_robin"}),
    "load_balancing.algorithm.anomaly_mitigation": frozenset({"off"}),
    "load_balancing.cross_zone.enabled": None,
    "slow_start.duration_seconds": frozenset({"0"}),
    "target_group_health.dns_failover.minimum_healthy_targets.count": None,
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": None,
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": frozenset({"1"}),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": frozenset({"off"}),
}
LISTENER_ATTRIBUTES: dict[str, frozenset[str] | None] = {
    "routing.http.response.server.enabled": frozenset({"true"}),
}
# The values that AWS has, where they are not any text: numbers from one to another, or these.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
_RANGES = {
    "deregistration_delay.timeout_seconds": (0, 3600),
    "idle_timeout.timeout_seconds": (1, 4000),
    "client_keep_alive.seconds": (60, 604800),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
    "slow_start.duration_seconds": (0, 900),
}
_BOOLEAN = ("true", "false")
_CHOICES: dict[str, tuple[str, ...]] = {
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "stickiness.type": ("lb_cookie", "app_cookie"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.cross_zone.enabled": (*_BOOLEAN, "use_load_balancer_configuration"),
    "ipv6.deny_all_igw_traffic": _BOOLEAN,
}
HIGHEST_PORT = 65535


def check_name(kind: str, name: str) -> None:
    """Refuse a name of a load balancer or target group that AWS refuses (pitfall L)."""
    prefix = "The load balancer name" if kind == "load balancer" else "Target group name"
    if len(name) > NAME_LENGTH:
        raise validation_error(f"{prefix} '{name}' cannot be longer than '{NAME_LENGTH}' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise validation_error(
            f"{prefix} '{name}' can only contain characters that are alphanumeric characters or hyphens(-)",
        )
    if name.startswith("-") or name.endswith("-"):
        raise validation_error(f"{prefix} '{name}' cannot begin or end with a hyphen(-)")
    if kind == "load balancer" and name.startswith("internal-"):
        raise validation_error(f"{prefix} '{name}' cannot begin with 'internal-'")


def check_attributes(
    kind: str, known: Mapping[str, frozenset[str] | None], given: Iterable[Mapping[str, str]]
) -> None:
    """Refuse attributes that AWS does not have, and values that local_aws does not implement."""
    for attribute in given:
        key, value = attribute["Key"], attribute["Value"]
        if key not in known:
            raise validation_error(f"{kind} attribute key '{key}' is not recognized")
        _check_value(key, value)
        allowed = known[key]
        if allowed is not None and value not in allowed:
            raise unsupported(f"the {kind.lower()} attribute {key}={value}")


def _check_value(key: str, value: str) -> None:
    choices = _CHOICES.get(key, _BOOLEAN if key.endswith(".enabled") else ())
    if choices and value not in choices:
        raise validation_error(f"'{key}' must be one of '{', '.join(choices)}', not '{value}'")
    if key in _RANGES:
        low, high = _RANGES[key]
        if not value.isdigit() or not low <= int(value) <= high:
            raise validation_error(
                f"'{key}' must be between '{low}' and '{high}' inclusive, not '{value}'",
            )


def check_target_group(protocol: str, version: str, target_type: str) -> None:
    """Refuse what local_aws does not implement: everything but HTTP/1.1 to IP addresses."""
    if protocol != "HTTP":
        raise unsupported(f"target groups of protocol {protocol}")
    if version not in ("", "HTTP1", "HTTP2", "GRPC"):
        raise validation_error(f"Protocol version '{version}' must be one of 'GRPC, HTTP1, HTTP2'")
    if version not in ("", "HTTP1"):
        raise unsupported(f"target groups of protocol version {version}")
    if target_type != "ip":
        raise unsupported(f"target groups of type {target_type} (only ip)")


def check_health_check(protocol: str, port: str, path: str, codes: str) -> None:
    """Refuse a protocol, port, path or status codes that a health check over HTTP cannot have.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
    """
    if protocol not in ("HTTP", "HTTPS"):
        raise validation_error(f"Health check protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    is_number = re.fullmatch("[0-9]{1,5}", port) is not None
    if port != "traffic-port" and not (is_number and 1 <= int(port) <= HIGHEST_PORT):
        raise validation_error(
            f"Health check port '{port}' must be 'traffic-port' or between '1' and '{HIGHEST_PORT}' inclusive"
        )
    if not path.startswith("/") or not re.fullmatch(r"[!-~]+", path):
        raise validation_error(f"Health check path '{path}' must begin with a '/' character")
    for part in codes.split(","):
        _check_codes(part, codes)


def _check_codes(part: str, codes: str) -> None:
    found = re.fullmatch(r"(\d{3})(?:-(\d{3}))?", part)
    if found is None:
        raise validation_error(
            f"Health check matcher HTTP codes '{codes}' must be like 200, 200,202 or 200-299"
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not 200 <= first <= last <= 499:
        raise validation_error(f"Health check matcher HTTP code '{part}' must be within '200-499' inclusive")


def check_thresholds(interval: int, timeout: int, healthy: int, unhealthy: int) -> None:
    """Refuse health check settings outside AWS's ranges."""
    ranges = {
        "Health check interval": (interval, 5, 300),
        "Health check timeout": (timeout, 2, 120),
        "Healthy threshold count": (healthy, 2, 10),
        "Unhealthy threshold count": (unhealthy, 2, 10),
    }
    for label, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise validation_error(f"{label} '{value}' must be between '{low}' and '{high}' inclusive")
    if timeout >= interval:
        raise validation_error(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'",
        )


def check_address(target: str) -> None:
    """Refuse a target id that is not an IP address."""
    try:
        ipaddress.ip_address(target)
    except ValueError:
        raise validation_error(f"The IP address '{target}' is not a valid IPv4 or IPv6 address") from None


def check_is_private(target: str) -> None:
    """Refuse a publicly routable address, in words of our own.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    if ipaddress.ip_address(target).is_global:
        raise validation_error(f"The IP address '{target}' is publicly routable and cannot be a target")
