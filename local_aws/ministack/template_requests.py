"""Refuses in templates what the service would refuse of the request that CloudFormation sends to it.

MiniStack's handlers of resource types write into its stores themselves. So each property goes through the
checks of the request as well, before its resource is created and before it is updated.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-support.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.ministack.handlers import check_before_change, check_before_create
from local_aws.ministack.request_checks import CHECKS
from local_aws.ministack.request_checks.rules import Error

# A request: MiniStack's name of the service, the operation and its parameters.
Request = tuple[str, str, Mapping[str, Any]]
SERVICES = {
    "ec2": "Ec2",
    "events": "EventBridge",
    "kms": "Kms",
    "lambda": "Lambda",
    "logs": "CloudWatchLogs",
    "sns": "Sns",
    "ssm": "Ssm",
}
PEERS = {"CidrIp": "IpRanges", "CidrIpv6": "Ipv6Ranges"}
PORTS = ("FromPort", "ToPort")


def patch_template_requests() -> None:
    """Check the properties of every type in `REQUESTS`."""
    check_before_create("AWS::EC2::Route", _check_route)
    for resource_type, requests in REQUESTS.items():
        check_before_change(resource_type, partial(_check, requests))


def _check(requests: Callable[[Properties], Iterator[Request]], props: Properties) -> None:
    for service, operation, params in requests(props):
        # What exists is no reason here: an update refers to its own resource.
        _refuse(service, CHECKS[service].form_error(operation, params))


def _check_route(props: Properties) -> None:
    _refuse("ec2", CHECKS["ec2"].state_error("CreateRoute", props))


def _refuse(service: str, error: Error | None) -> None:
    if error is not None:
        raise ValueError(f"{error[1]} (Service: {SERVICES[service]}, Status Code: 400)")


def _parameter(props: Properties) -> Iterator[Request]:
    yield "ssm", "PutParameter", {name: value for name, value in props.items() if name != "Tags"}


def _rule(props: Properties) -> Iterator[Request]:
    pattern = props.get("EventPattern")
    text = json.dumps(pattern) if isinstance(pattern, Mapping) else pattern
    yield "events", "PutRule", {**props, "EventPattern": text}
    yield "events", "PutTargets", {"Targets": props.get("Targets") or []}


def _metric_filter(props: Properties) -> Iterator[Request]:
    yield "logs", "PutMetricFilter", {"filterPattern": props.get("FilterPattern")}


def _subscription(props: Properties) -> Iterator[Request]:
    policy = props.get("FilterPolicy")
    text = json.dumps(policy) if isinstance(policy, Mapping) else policy
    yield "sns", "Subscribe", {**props, "Attributes": {"FilterPolicy": text}}


def _permission(direction: str, given: Properties) -> Iterator[Request]:
    peers = {member: [{name: given[name]}] for name, member in PEERS.items() if given.get(name)}
    ports = {name: given[name] for name in PORTS if given.get(name) is not None}
    permission = {"IpProtocol": str(given.get("IpProtocol")), **ports, **peers}
    yield "ec2", f"AuthorizeSecurityGroup{direction}", {"IpPermissions": [permission]}


def _group(props: Properties) -> Iterator[Request]:
    for direction in ("Ingress", "Egress"):
        for given in props.get(f"SecurityGroup{direction}") or []:
            yield from _permission(direction, given)


def _function(props: Properties) -> Iterator[Request]:
    yield "lambda", "CreateFunction", props


def _key(props: Properties) -> Iterator[Request]:
    yield "kms", "CreateKey", {name: props[name] for name in ("KeySpec", "KeyUsage") if name in props}


REQUESTS: Mapping[str, Callable[[Properties], Iterator[Request]]] = {
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::SecurityGroupEgress": partial(_permission, "Egress"),
    "AWS::EC2::SecurityGroupIngress": partial(_permission, "Ingress"),
    "AWS::Events::Rule": _rule,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::MetricFilter": _metric_filter,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SSM::Parameter": _parameter,
}
