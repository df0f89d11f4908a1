"""Validates ELBv2 requests before MiniStack handles them. A check raises `AwsError`."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.api import AwsError, check_quota
from local_aws.ministack import elbv2_networks, elbv2_rules
from local_aws.ministack.elbv2_priorities import check_priorities
from local_aws.ministack.elbv2_requests import SERVICE, Request, all_exist, one_given, only_one
from local_aws.ministack.elbv2_snapshot import acm, alb, everything, users_of
from local_aws.services.elbv2 import errors, tls, validation
from local_aws.services.elbv2.records import Tls

_HEALTH_NUMBERS = {
    "HealthCheckIntervalSeconds": "30",
    "HealthCheckTimeoutSeconds": "5",
    "HealthyThresholdCount": "5",
    "UnhealthyThresholdCount": "2",
}


def _value(params: Request, key: str, default: str = "") -> str:
    return str(alb._p(params, key, default) or default)


def _create_load_balancer(params: Request) -> None:
    validation.check_name("load balancer", _value(params, "Name"))
    if _value(params, "Type", "application") != "application":
        raise errors.unsupported(f"load balancers of type {_value(params, 'Type')}")
    subnets = _subnets(params)
    for number, subnet in enumerate(subnets, 1):
        params[f"Subnets.member.{number}"] = [subnet]
    params.members["Subnets"] = subnets
    if _value(params, "IpAddressType", "ipv4") != "ipv4":
        raise errors.unsupported(f"load balancers of IP address type {_value(params, 'IpAddressType')}")
    elbv2_networks.check_networks(subnets, alb._parse_member_list(params, "SecurityGroups"))
    named = [each for each in alb._lbs.values() if each["LoadBalancerName"] == _value(params, "Name")]
    if not named:
        check_quota(SERVICE, "CreateLoadBalancer", len(alb._lbs))


def _set_subnets(params: Request) -> None:
    balancer = alb._lbs.get(_value(params, "LoadBalancerArn"))
    if balancer is not None:
        elbv2_networks.check_networks(_subnets(params), balancer["SecurityGroups"])


def _set_security_groups(params: Request) -> None:
    balancer = alb._lbs.get(_value(params, "LoadBalancerArn"))
    if balancer is not None:
        elbv2_networks.check_networks(balancer["Subnets"], alb._parse_member_list(params, "SecurityGroups"))


def _subnets(params: Request) -> list[str]:
    """Return the subnets of a request, which may give them as mappings."""
    given = params.members
    if given.get("Subnets") and given.get("SubnetMappings"):
        raise AwsError("ValidationError", "You must specify either subnets or subnet mappings")
    return given.get("Subnets") or [each["SubnetId"] for each in given.get("SubnetMappings", [])]


def _delete_load_balancer(params: Request) -> None:
    arn = _value(params, "LoadBalancerArn")
    attributes = {item["Key"]: item["Value"] for item in alb._lb_attrs.get(arn, [])}
    if attributes.get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )


def _attributes(kind: str, known: Mapping[str, frozenset[str] | None]) -> Callable[[Request], None]:
    def check(params: Request) -> None:
        given: list[dict[str, str]] = []
        while key := _value(params, f"Attributes.member.{len(given) + 1}.Key"):
            given.append({"Key": key, "Value": _value(params, f"Attributes.member.{len(given) + 1}.Value")})
        validation.check_attributes(kind, known, given)

    return check


def _create_target_group(params: Request) -> None:
    validation.check_name("target group", _value(params, "Name"))
    for member, label in (("Protocol", "protocol"), ("Port", "port")):
        if not _value(params, member) and _value(params, "TargetType") != "lambda":
            raise AwsError("ValidationError", f"A {label} must be specified")
    validation.check_target_group(
        _value(params, "Protocol"),
        _value(params, "ProtocolVersion"),
        _value(params, "TargetType", "instance"),
    )
    if _value(params, "IpAddressType", "ipv4") != "ipv4":
        raise errors.unsupported("target groups of IPv6 addresses")
    elbv2_networks.check_vpc(_value(params, "VpcId"))
    _health_check(params, _HEALTH_NUMBERS)
    check_quota(SERVICE, "CreateTargetGroup", len(alb._tgs))


def _modify_target_group(params: Request) -> None:
    group = alb._tgs.get(_value(params, "TargetGroupArn"))
    if group is not None:
        _health_check(params, {key: str(group[key]) for key in _HEALTH_NUMBERS})


def _health_check(params: Request, defaults: Mapping[str, str]) -> None:
    validation.check_health_check(
        _value(params, "HealthCheckProtocol", "HTTP"),
        _value(params, "HealthCheckPort", "traffic-port"),
        _value(params, "HealthCheckPath", "/"),
        _value(params, "Matcher.HttpCode", "200"),
    )
    if _value(params, "Matcher.GrpcCode"):
        raise AwsError("ValidationError", "gRPC codes are for target groups of protocol version GRPC")
    if _value(params, "HealthCheckProtocol", "HTTP") != "HTTP":
        raise errors.unsupported(f"health checks over {_value(params, 'HealthCheckProtocol')}")
    if _value(params, "HealthCheckEnabled", "true") != "true":
        raise AwsError(
            "ValidationError", "Health check enabled must be true for target groups with target type 'ip'"
        )
    validation.check_thresholds(*(int(_value(params, key, default)) for key, default in defaults.items()))


def _delete_target_group(params: Request) -> None:
    arn = _value(params, "TargetGroupArn")
    if users_of(arn):
        # pitfall I1
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")


def _create_listener(params: Request) -> None:
    balancer, port = _value(params, "LoadBalancerArn"), _value(params, "Port")
    _check_protocol(params, {"Protocol": "HTTP"})
    if not port:
        raise AwsError("ValidationError", "A listener port must be specified")
    _check_port_is_free(balancer, port)
    listener = {"LoadBalancerArn": balancer, "Protocol": _value(params, "Protocol"), "Port": port}
    elbv2_rules.check_actions(params, listener)
    _check_listener_count(balancer)


def _modify_listener(params: Request) -> None:
    listener = alb._listeners.get(_value(params, "ListenerArn"))
    if listener is None:
        return
    _check_protocol(params, listener)
    port = _value(params, "Port")
    if port and int(port) != listener["Port"]:
        _check_port_is_free(listener["LoadBalancerArn"], port)
    if _value(params, "DefaultActions.member.1.Type"):
        changed = {key: _value(params, key, str(listener[key])) for key in ("Protocol", "Port")}
        elbv2_rules.check_actions(params, {**listener, **changed})


def _check_protocol(params: Request, listener: Mapping[str, Any]) -> None:
    """Reject a protocol or certificate that a listener cannot have. `listener` is its current record."""
    protocol = _value(params, "Protocol", listener["Protocol"])
    # Of the network load balancer's listeners, which local_aws does not have.
    if protocol not in ("HTTP", "HTTPS"):
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of 'HTTPS, HTTP'")
    given = alb._parse_certificate_arns(params)
    if protocol == "HTTP":
        if given:
            raise AwsError("ValidationError", "A certificate cannot be specified for HTTP listeners")
        if "AlpnPolicy.member.1" in params:
            raise AwsError("ValidationError", "An ALPN policy is for TLS listeners of network load balancers")
        if _value(params, "SslPolicy"):
            raise AwsError("ValidationError", "An SSL policy cannot be specified for HTTP listeners")
        return
    certificates = given or listener.get("Certificates", [])
    if not certificates:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    policy = _value(params, "SslPolicy", listener.get("SslPolicy", alb._DEFAULT_SSL_POLICY))
    tls.check_policy(policy)
    for arn in certificates:
        _check_certificate(arn, policy)


def _check_certificate(arn: str, policy: str) -> None:
    certificate = everything(acm._certificates).get(arn)
    if certificate is None:
        raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
    if not certificate["_private_key"]:
        raise errors.unsupported(f"certificates that ACM issues, like {arn}: import one with its key")
    tls.check(arn, Tls(certificate["_pem_body"], certificate["_private_key"], policy))


def _check_listener_count(balancer: str) -> None:
    owners = [each["LoadBalancerArn"] for each in alb._listeners.values()]
    check_quota(SERVICE, "CreateListener", owners.count(balancer))


def _register_targets(params: Request) -> None:
    """Check the quota of a target group's targets, which are identified by id and port."""
    group = _value(params, "TargetGroupArn")
    number = len({(target["Id"], target.get("Port")) for target in params.members["Targets"]})
    check_quota(SERVICE, "RegisterTargets", len(alb._targets.get(group, [])) + number - 1)


def _check_port_is_free(balancer: str, port: str) -> None:
    for listener in alb._listeners.values():
        if listener["LoadBalancerArn"] == balancer and listener["Port"] == int(port):
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{balancer}'",
            )


def both(*checks: Callable[[Request], None]) -> Callable[[Request], None]:
    """Return a check that runs all of `checks`."""

    def check(params: Request) -> None:
        for each in checks:
            each(params)

    return check


CHECKS: dict[str, Callable[[Request], None]] = {
    "CreateLoadBalancer": _create_load_balancer,
    "DeleteLoadBalancer": _delete_load_balancer,
    "SetSubnets": _set_subnets,
    "SetSecurityGroups": _set_security_groups,
    "ModifyLoadBalancerAttributes": _attributes("Load balancer", validation.LOAD_BALANCER_ATTRIBUTES),
    "CreateTargetGroup": _create_target_group,
    "ModifyTargetGroup": _modify_target_group,
    "DeleteTargetGroup": _delete_target_group,
    "ModifyTargetGroupAttributes": _attributes("Target group", validation.TARGET_GROUP_ATTRIBUTES),
    "CreateListener": _create_listener,
    "ModifyListener": _modify_listener,
    "ModifyListenerAttributes": _attributes("Listener", validation.LISTENER_ATTRIBUTES),
    "CreateRule": elbv2_rules.create_rule,
    "ModifyRule": elbv2_rules.modify_rule,
    "DeleteRule": elbv2_rules.delete_rule,
    "SetRulePriorities": check_priorities,
    "RegisterTargets": _register_targets,
    "DescribeListeners": both(
        one_given("You must specify either listener ARNs or a load balancer ARN", "LoadBalancerArn"),
        all_exist("_listeners", "ListenerArns", "ListenerNotFound", "listeners"),
    ),
    "DescribeRules": both(
        one_given("You must specify either listener rule ARNs or a listener ARN", "ListenerArn"),
        all_exist("_rules", "RuleArns", "RuleNotFound", "rules"),
    ),
    "DescribeTargetGroups": both(
        only_one("Names", "TargetGroupArns", "LoadBalancerArn"),
        all_exist("_tgs", "TargetGroupArns", "TargetGroupNotFound", "target groups"),
        all_exist("_tgs", "Names", "TargetGroupNotFound", "target groups", "TargetGroupName"),
    ),
    "DescribeLoadBalancers": both(
        only_one("Names", "LoadBalancerArns"),
        all_exist("_lbs", "LoadBalancerArns", "LoadBalancerNotFound", "load balancers"),
        all_exist("_lbs", "Names", "LoadBalancerNotFound", "load balancers", "LoadBalancerName"),
    ),
}
