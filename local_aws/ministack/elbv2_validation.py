"""Validates ELBv2 requests before MiniStack handles them. A check raises `AwsError`."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.ministack import elbv2_networks
from local_aws.ministack.elbv2_priorities import check_priorities
from local_aws.ministack.elbv2_requests import all_exist, one_given, parse
from local_aws.ministack.elbv2_snapshot import acm, alb, everything, users_of
from local_aws.services.elbv2 import errors, rule_conditions, tls, validation
from local_aws.services.elbv2.records import Tls
from local_aws.services.elbv2.routing import CONDITIONS, weights

Params = dict[str, Any]

ACTIONS = ("forward", "fixed-response", "redirect")
_HEALTH_NUMBERS = {
    "HealthCheckIntervalSeconds": "30",
    "HealthCheckTimeoutSeconds": "5",
    "HealthyThresholdCount": "5",
    "UnhealthyThresholdCount": "2",
}


def _value(params: Params, key: str, default: str = "") -> str:
    return str(alb._p(params, key, default) or default)


def _create_load_balancer(params: Params) -> None:
    validation.check_name("load balancer", _value(params, "Name"))
    if _value(params, "Type", "application") != "application":
        raise errors.unsupported(f"load balancers of type {_value(params, 'Type')}")
    subnets = _subnets("CreateLoadBalancer", params)
    for number, subnet in enumerate(subnets, 1):
        params[f"Subnets.member.{number}"] = [subnet]
    if _value(params, "IpAddressType", "ipv4") != "ipv4":
        raise errors.unsupported(f"load balancers of IP address type {_value(params, 'IpAddressType')}")
    elbv2_networks.check_networks(subnets, alb._parse_member_list(params, "SecurityGroups"))


def _set_subnets(params: Params) -> None:
    balancer = alb._lbs.get(_value(params, "LoadBalancerArn"))
    if balancer is not None:
        elbv2_networks.check_networks(_subnets("SetSubnets", params), balancer["SecurityGroups"])


def _set_security_groups(params: Params) -> None:
    balancer = alb._lbs.get(_value(params, "LoadBalancerArn"))
    if balancer is not None:
        elbv2_networks.check_networks(balancer["Subnets"], alb._parse_member_list(params, "SecurityGroups"))


def _subnets(operation: str, params: Params) -> list[str]:
    """Return the subnets of a request, which may give them as mappings."""
    given = parse(operation, params)
    return given.get("Subnets") or [each["SubnetId"] for each in given.get("SubnetMappings", [])]


def _delete_load_balancer(params: Params) -> None:
    arn = _value(params, "LoadBalancerArn")
    attributes = {item["Key"]: item["Value"] for item in alb._lb_attrs.get(arn, [])}
    if attributes.get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )


def _attributes(kind: str, known: Mapping[str, frozenset[str] | None]) -> Callable[[Params], None]:
    def check(params: Params) -> None:
        given: list[dict[str, str]] = []
        while key := _value(params, f"Attributes.member.{len(given) + 1}.Key"):
            given.append({"Key": key, "Value": _value(params, f"Attributes.member.{len(given) + 1}.Value")})
        validation.check_attributes(kind, known, given)

    return check


def _create_target_group(params: Params) -> None:
    validation.check_name("target group", _value(params, "Name"))
    validation.check_target_group(
        _value(params, "Protocol"),
        _value(params, "ProtocolVersion"),
        _value(params, "TargetType", "instance"),
    )
    if _value(params, "IpAddressType", "ipv4") != "ipv4":
        raise errors.unsupported("target groups of IPv6 addresses")
    elbv2_networks.check_vpc(_value(params, "VpcId"))
    _health_check(params, _HEALTH_NUMBERS)


def _modify_target_group(params: Params) -> None:
    group = alb._tgs.get(_value(params, "TargetGroupArn"))
    if group is not None:
        _health_check(params, {key: str(group[key]) for key in _HEALTH_NUMBERS})


def _health_check(params: Params, defaults: Mapping[str, str]) -> None:
    if _value(params, "HealthCheckProtocol", "HTTP") != "HTTP":
        raise errors.unsupported(f"health checks over {_value(params, 'HealthCheckProtocol')}")
    if _value(params, "HealthCheckEnabled", "true") != "true":
        raise AwsError(
            "ValidationError", "Health check enabled must be true for target groups with target type 'ip'"
        )
    validation.check_thresholds(*(int(_value(params, key, default)) for key, default in defaults.items()))


def _delete_target_group(params: Params) -> None:
    arn = _value(params, "TargetGroupArn")
    if users_of(arn):
        # pitfall I1
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")


def _create_listener(params: Params) -> None:
    balancer, port = _value(params, "LoadBalancerArn"), _value(params, "Port")
    _check_protocol(params, {"Protocol": "HTTP"})
    if not port:
        raise AwsError("ValidationError", "A listener port must be specified")
    _check_port_is_free(balancer, port)
    _check_actions(params, "DefaultActions", balancer)


def _modify_listener(params: Params) -> None:
    listener = alb._listeners.get(_value(params, "ListenerArn"))
    if listener is None:
        return
    _check_protocol(params, listener)
    port = _value(params, "Port")
    if port and int(port) != listener["Port"]:
        _check_port_is_free(listener["LoadBalancerArn"], port)
    if _value(params, "DefaultActions.member.1.Type"):
        _check_actions(params, "DefaultActions", listener["LoadBalancerArn"])


def _check_protocol(params: Params, listener: Mapping[str, Any]) -> None:
    """Reject a protocol or certificate that a listener cannot have. `listener` is its current record."""
    protocol = _value(params, "Protocol", listener["Protocol"])
    given = alb._parse_certificate_arns(params)
    if protocol == "HTTP":
        if given:
            raise AwsError("ValidationError", "A certificate cannot be specified for HTTP listeners")
        return
    if protocol != "HTTPS":
        raise errors.unsupported(f"listeners of protocol {protocol}")
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


def _check_port_is_free(balancer: str, port: str) -> None:
    for listener in alb._listeners.values():
        if listener["LoadBalancerArn"] == balancer and listener["Port"] == int(port):
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{balancer}'",
            )


def _check_actions(params: Params, prefix: str, balancer: str) -> None:
    actions = alb._parse_actions(params, prefix)
    if not actions:
        raise AwsError("ValidationError", "A listener or rule must have an action")
    for action in actions:
        if action["Type"] not in ACTIONS:
            raise errors.unsupported(f"actions of type {action['Type']}")
        if action["Type"] == "forward":
            _check_forward(action, balancer)
    stickiness = [key for key in params if "TargetGroupStickinessConfig.Enabled" in key]
    if any(_value(params, key) == "true" for key in stickiness):
        raise errors.unsupported("stickiness of target groups")


def _check_forward(action: Mapping[str, Any], balancer: str) -> None:
    groups = weights(action) if action["ForwardConfig"]["TargetGroups"] else []
    _check_group_count([arn for arn, _ in groups])
    for arn, weight in groups:
        _check_group(arn, weight, balancer)


def _check_group_count(arns: list[str]) -> None:
    if not arns:
        raise AwsError("ValidationError", "You must specify at least one target group for a forward action")
    if len(arns) > 5:
        raise AwsError(
            "TooManyUniqueTargetGroupsPerLoadBalancer", "A forward action has up to 5 target groups"
        )
    if len(set(arns)) != len(arns):
        raise AwsError("ValidationError", "The same target group is specified more than once")


def _check_group(arn: str, weight: int, balancer: str) -> None:
    if arn not in alb._tgs:
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    if not 0 <= weight <= 999:
        raise AwsError("ValidationError", f"Weight '{weight}' must be between '0' and '999' inclusive")
    if any(user != balancer for user in users_of(arn)):
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {arn}",
        )


def _create_rule(params: Params) -> None:
    listener = alb._listeners.get(_value(params, "ListenerArn"))
    if listener is None:
        return
    priority = _value(params, "Priority")
    if any(
        rule["ListenerArn"] == listener["ListenerArn"] and rule["Priority"] == priority
        for rule in alb._rules.values()
    ):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
    _check_actions(params, "Actions", listener["LoadBalancerArn"])
    _check_conditions("CreateRule", params)


def _modify_rule(params: Params) -> None:
    rule = alb._rules.get(_value(params, "RuleArn"))
    if rule is None:
        return
    if _value(params, "Actions.member.1.Type"):
        _check_actions(params, "Actions", alb._listeners[rule["ListenerArn"]]["LoadBalancerArn"])
    if "Conditions.member.1.Field" in params:
        _check_conditions("ModifyRule", params)


def _check_conditions(operation: str, params: Params) -> None:
    rule_conditions.check_conditions(parse(operation, params).get("Conditions", []))
    for condition in alb._parse_conditions(params):
        if condition["Field"] not in CONDITIONS:
            raise errors.unsupported(f"rule conditions on {condition['Field']}")
    if alb._parse_transforms(params):
        raise errors.unsupported("rule transforms")


def _delete_rule(params: Params) -> None:
    if _value(params, "RuleArn") not in alb._rules:
        raise AwsError("RuleNotFound", "One or more rules not found")


def both(*checks: Callable[[Params], None]) -> Callable[[Params], None]:
    """Return a check that runs all of `checks`."""

    def check(params: Params) -> None:
        for each in checks:
            each(params)

    return check


CHECKS: dict[str, Callable[[Params], None]] = {
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
    "CreateRule": _create_rule,
    "ModifyRule": _modify_rule,
    "DeleteRule": _delete_rule,
    "SetRulePriorities": check_priorities,
    "DescribeListeners": both(
        one_given("You must specify either listener ARNs or a load balancer ARN", "LoadBalancerArn"),
        all_exist("_listeners", "ListenerArns", "ListenerNotFound", "listeners"),
    ),
    "DescribeRules": both(
        one_given("You must specify either listener rule ARNs or a listener ARN", "ListenerArn"),
        all_exist("_rules", "RuleArns", "RuleNotFound", "rules"),
    ),
    "DescribeTargetGroups": both(
        all_exist("_tgs", "TargetGroupArns", "TargetGroupNotFound", "target groups"),
        all_exist("_tgs", "Names", "TargetGroupNotFound", "target groups", "TargetGroupName"),
    ),
    "DescribeLoadBalancers": both(
        all_exist("_lbs", "LoadBalancerArns", "LoadBalancerNotFound", "load balancers"),
        all_exist("_lbs", "Names", "LoadBalancerNotFound", "load balancers", "LoadBalancerName"),
    ),
}
