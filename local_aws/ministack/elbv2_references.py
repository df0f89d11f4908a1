"""The references and tags of ELBv2's requests: what is named must exist, if AWS declares a code for it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.core.api import AwsError, service_model
from local_aws.core.tag_rules import LIMIT
from local_aws.ministack.elbv2_requests import SERVICE, Request
from local_aws.ministack.elbv2_snapshot import alb
from local_aws.services.elbv2.errors import unsupported

# Member -> MiniStack's records, the code for one that does not exist, and what it is.
REFERENCES = {
    "LoadBalancerArn": ("_lbs", "LoadBalancerNotFound", "load balancers"),
    "ListenerArn": ("_listeners", "ListenerNotFound", "listeners"),
    "RuleArn": ("_rules", "RuleNotFound", "rules"),
}
# Member -> the part of the ARN that is its type, and what it is. The message: hashicorp/terraform#18060.
ARNS = {
    "LoadBalancerArn": ("loadbalancer", "load balancer"),
    "ListenerArn": ("listener", "listener"),
    "RuleArn": ("listener-rule", "listener rule"),
    "TargetGroupArn": ("targetgroup", "target group"),
}
# API_DescribeTags.html
DESCRIBED = 20
# "If the load balancer does not exist or has already been deleted, the call succeeds."
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
SUCCEEDS = frozenset({"DeleteLoadBalancer"})


def reference_check(operation: str) -> Callable[[Request], None]:
    """Return a check of an operation's references and tags."""
    declared = {shape.error_code for shape in service_model(SERVICE).operation_model(operation).error_shapes}

    def check(request: Request) -> None:
        members = request.members
        _check_arns(members)
        _check_tags(members, declared)
        _check_trust_stores(members, declared)
        if operation == "DescribeTags" and len(members["ResourceArns"]) > DESCRIBED:
            raise AwsError("ValidationError", f"You can specify up to {DESCRIBED} resources")
        if operation not in SUCCEEDS:
            _check_references(members, declared)

    return check


def _check_arns(members: Mapping[str, Any]) -> None:
    for member, (kind, label) in ARNS.items():
        pattern = rf"arn:aws[\w-]*:elasticloadbalancing:[a-z0-9-]+:\d{{12}}:{kind}/.+"
        for arn in [*members.get(f"{member}s", []), *([members[member]] if member in members else [])]:
            if not re.fullmatch(pattern, str(arn)):
                raise AwsError("ValidationError", f"'{arn}' is not a valid {label} ARN")


def _check_references(members: Mapping[str, Any], declared: set[str]) -> None:
    for member, arn in _references(members):
        store, code, label = REFERENCES[member]
        if code in declared and arn not in getattr(alb, store):
            raise AwsError(code, f"One or more {label} not found")


def _check_trust_stores(members: Mapping[str, Any], declared: set[str]) -> None:
    """Refuse every trust store: there is none, since CreateTrustStore is UnsupportedOperation.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_MutualAuthenticationAttributes.html
    """
    given = members.get("MutualAuthentication", {})
    named = [given.get("TrustStoreArn", ""), *members.get("ResourceArns", [])]
    for arn in named:
        if "TrustStoreNotFound" in declared and ":truststore/" in str(arn):
            raise AwsError("TrustStoreNotFound", f"Trust store '{arn}' not found")
    if given.get("Mode", "off") != "off":
        raise unsupported(f"mutual authentication of mode {given['Mode']}")


def _references(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for member in REFERENCES.keys() & members.keys():
        yield member, members[member]
    for priority in members.get("RulePriorities", []):
        yield "RuleArn", priority.get("RuleArn", "")


def _check_tags(members: Mapping[str, Any], declared: set[str]) -> None:
    keys = [tag.get("Key") for tag in members.get("Tags", [])]
    if "DuplicateTagKeys" in declared and len(set(keys)) < len(keys):
        raise AwsError("DuplicateTagKeys", "A tag key was specified more than once.")
    if "TooManyTags" in declared and len(keys or members.get("TagKeys", [])) > LIMIT:
        raise AwsError("TooManyTags", f"A resource can have at most {LIMIT} tags.")
