"""Reads MiniStack's ELBv2 records into a snapshot of plain data."""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.services.elbv2.records import (
    ElbSnapshot,
    Listener,
    ListenerRule,
    Target,
    TargetGroup,
    TargetHealthCheck,
    Tls,
)
from local_aws.services.elbv2.routing import weights

alb = require(
    "services.alb",
    *(
        "_lbs",
        "_tgs",
        "_listeners",
        "_rules",
        "_targets",
        "_tags",
        "_lb_attrs",
        "_tg_attrs",
        "_listener_attrs",
    ),
    *("_parse_actions", "_action_xml", "_tg_xml", "_lb_xml", "_parse_conditions", "_parse_targets_param"),
    *("_parse_member_list", "_parse_transforms", "_p", "_xml", "_error", "_empty", "_ACTION_MAP"),
    *("_rule_sort_key", "dispatch_request", "_parse_certificate_arns", "_DEFAULT_SSL_POLICY"),
)
ec2 = require("services.ec2", "_ensure_defaults_initialized", "_security_groups", "_subnets", "_vpcs")
acm = require("services.acm", "_certificates", "_delete_certificate", "_import_certificate")


def everything(store: Any) -> dict[str, Any]:
    """Return the records of one of MiniStack's stores, of all accounts and regions, by ARN."""
    return {key[-1]: value for key, value in store.to_dict().items()}


def actions_in_use() -> list[tuple[str, Mapping[str, Any]]]:
    """Return every action of a listener or rule, with its load balancer."""
    listeners = everything(alb._listeners)
    found = [
        (item["LoadBalancerArn"], action) for item in listeners.values() for action in item["DefaultActions"]
    ]
    for rule in everything(alb._rules).values():
        if rule["ListenerArn"] in listeners:
            balancer = listeners[rule["ListenerArn"]]["LoadBalancerArn"]
            found += [(balancer, action) for action in rule["Actions"]]
    return found


def users_of(target_group: str) -> list[str]:
    """Return the load balancers with a listener or rule that forwards to a target group."""
    users = [
        balancer
        for balancer, action in actions_in_use()
        if action["Type"] == "forward" and target_group in dict(weights(action))
    ]
    return list(dict.fromkeys(users))


def link_load_balancers() -> None:
    """Update each target group's load balancers: MiniStack adds to them and never removes one."""
    for arn, group in everything(alb._tgs).items():
        group["LoadBalancerArns"] = users_of(arn)


def current() -> ElbSnapshot:
    """Return all current listeners and target groups."""
    listeners = everything(alb._listeners)
    groups = everything(alb._tgs)
    return ElbSnapshot(
        {arn: _listener(item) for arn, item in listeners.items()},
        {arn: _target_group(item) for arn, item in groups.items()},
    )


def _attributes(store: Any, arn: str) -> dict[str, str]:
    items: list[dict[str, str]] = everything(store).get(arn, [])
    return {item["Key"]: item["Value"] for item in items}


def _listener(record: Mapping[str, Any]) -> Listener:
    own_rules = [r for r in everything(alb._rules).values() if r["ListenerArn"] == record["ListenerArn"]]
    rules = tuple(
        ListenerRule(tuple(dict(c) for c in rule["Conditions"]), _final(rule["Actions"]))
        for rule in sorted(own_rules, key=alb._rule_sort_key)
    )
    attributes = _attributes(alb._lb_attrs, record["LoadBalancerArn"])
    return Listener(
        arn=record["ListenerArn"],
        load_balancer=record["LoadBalancerArn"],
        dns_name=everything(alb._lbs)[record["LoadBalancerArn"]]["DNSName"],
        port=record["Port"],
        rules=rules,
        idle_timeout=float(attributes.get("idle_timeout.timeout_seconds", "60")),
        attributes=attributes,
        tls=_tls(record) if record["Protocol"] == "HTTPS" else None,
    )


def _tls(record: Mapping[str, Any]) -> Tls:
    # The listener's creation checked that the certificate exists and has a private key.
    certificate = everything(acm._certificates)[record["Certificates"][0]]
    chain = f"{certificate['_pem_body']}\n{certificate['_pem_chain'] or ''}"
    return Tls(chain, certificate["_private_key"], record["SslPolicy"])


def _final(actions: list[Mapping[str, Any]]) -> dict[str, Any]:
    ordered = sorted(actions, key=lambda action: int(action.get("Order", 1)))
    return dict(ordered[-1])


def _target_group(record: Mapping[str, Any]) -> TargetGroup:
    arn = record["TargetGroupArn"]
    attributes = _attributes(alb._tg_attrs, arn)
    targets = everything(alb._targets).get(arn, [])
    return TargetGroup(
        arn=arn,
        port=record["Port"],
        health_check=TargetHealthCheck(
            path=record["HealthCheckPath"],
            port=str(record["HealthCheckPort"]),
            interval=record["HealthCheckIntervalSeconds"],
            timeout=record["HealthCheckTimeoutSeconds"],
            healthy=record["HealthyThresholdCount"],
            unhealthy=record["UnhealthyThresholdCount"],
            matcher=record["Matcher"]["HttpCode"],
        ),
        targets=tuple(Target(item["Id"], int(item.get("Port", record["Port"]))) for item in targets),
        deregistration_delay=float(attributes.get("deregistration_delay.timeout_seconds", "300")),
        load_balancer=next(iter(record["LoadBalancerArns"]), None),
    )
