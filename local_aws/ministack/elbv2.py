"""Patches MiniStack's ELBv2: target weights, AWS's errors, and a call of ours after every change."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from local_aws.core.api import AwsError
from local_aws.core.context import Context
from local_aws.ministack import elbv2_snapshot
from local_aws.ministack.access_logs import access_log_check
from local_aws.ministack.elbv2_references import reference_check
from local_aws.ministack.elbv2_requests import Request, check_model, page
from local_aws.ministack.elbv2_snapshot import acm, alb, ec2, everything
from local_aws.ministack.elbv2_validation import CHECKS, both
from local_aws.services.elbv2 import validation
from local_aws.services.elbv2.records import ElbSnapshot, Target
from local_aws.services.elbv2.routing import weights
from local_aws.services.elbv2.serializers import TargetHealthDescription

Params = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
# A target group's ARN and the requested targets (none: all) -> DescribeTargetHealth's descriptions.
Health = Callable[[str, list[Target]], list[TargetHealthDescription]]

FORWARD = "ForwardConfig"
MODIFY = "ModifyLoadBalancerAttributes"
CHANGES = (
    *("CreateLoadBalancer", "DeleteLoadBalancer", MODIFY, "CreateTargetGroup"),
    *("ModifyTargetGroup", "DeleteTargetGroup", "ModifyTargetGroupAttributes", "CreateListener"),
    *("ModifyListener", "DeleteListener", "ModifyListenerAttributes", "CreateRule", "ModifyRule"),
    *("DeleteRule", "SetRulePriorities", "RegisterTargets", "DeregisterTargets"),
)
_ORIGINAL = {"parse": alb._parse_actions, "action": alb._action_xml, "group": alb._tg_xml, "lb": alb._lb_xml}
_ORIGINAL_ACTIONS = dict(alb._ACTION_MAP)
_ORIGINAL_CERTIFICATES = {"delete": acm._delete_certificate, "import": acm._import_certificate}


def patch_elbv2(context: Context, on_change: Callable[[ElbSnapshot], None], health: Health) -> None:
    """Validate requests before MiniStack handles them, and call `on_change` after each change."""
    alb._parse_actions, alb._action_xml, alb._tg_xml = _parse_actions, _action_xml, _tg_xml
    alb._lb_xml = _lb_xml
    alb.dispatch_request = _reject_traffic
    replaced = {
        **_ORIGINAL_ACTIONS,
        "CreateLoadBalancer": _create_load_balancer,
        "RegisterTargets": _register,
        "DeregisterTargets": _deregister,
        "DescribeTargetHealth": _describe_health(health),
        "DeleteLoadBalancer": _delete_load_balancer,
    }
    checks = {**CHECKS, MODIFY: both(CHECKS[MODIFY], access_log_check(context))}
    acm._delete_certificate, acm._import_certificate = _delete_certificate, _import_certificate(on_change)
    for name, handler in replaced.items():
        check = both(check_model, reference_check(name), *filter(None, [checks.get(name)]))
        alb._ACTION_MAP[name] = _validated(name, handler, check, on_change if name in CHANGES else None)


def _validated(
    name: str,
    handler: Callable[[Request], Answer],
    check: Callable[[Request], None],
    on_change: Callable[[ElbSnapshot], None] | None,
) -> Callable[[Params], Answer]:
    def handle(params: Params) -> Answer:
        request = Request(name, params)
        try:
            check(request)
            answer = page(request, handler(request))
        except AwsError as error:
            error_response: Answer = alb._error(error.code, error.message, error.status)
            return error_response
        if on_change is not None and answer[0] == 200:
            elbv2_snapshot.link_load_balancers()
            on_change(elbv2_snapshot.current())
        return answer

    return handle


async def _reject_traffic(load_balancer: Mapping[str, Any], *_: Any, **__: Any) -> Answer:
    # MiniStack's own data plane ignores weights and health. Our listeners serve the traffic.
    text = f"{load_balancer['DNSName']} is served on its own port: see /_local_aws/listeners\n"
    return 421, {"Content-Type": "text/plain"}, text.encode()


# --- Parts of requests and responses that MiniStack ignores --------------------------------------------


def _parse_actions(params: Params, prefix: str = "DefaultActions") -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = _ORIGINAL["parse"](params, prefix)
    for number, action in enumerate(actions, 1):
        if action["Type"] != "forward":
            continue
        groups = list(_forward_groups(params, f"{prefix}.member.{number}.{FORWARD}.TargetGroups"))
        if not groups and "TargetGroupArn" in action:
            groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
        action[FORWARD] = {"TargetGroups": groups}
        # As in AWS's response: TargetGroupArn only for a single target group.
        action.pop("TargetGroupArn", None)
        if len(groups) == 1:
            action["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return actions


def _forward_groups(params: Params, prefix: str) -> Iterator[dict[str, Any]]:
    number = 1
    while arn := alb._p(params, f"{prefix}.member.{number}.TargetGroupArn"):
        weight = alb._p(params, f"{prefix}.member.{number}.Weight")
        yield {"TargetGroupArn": arn, "Weight": int(weight) if weight else 1}
        number += 1


def _action_xml(action: Mapping[str, Any]) -> str:
    xml: str = _ORIGINAL["action"](action)
    if FORWARD not in action:
        return xml
    groups = "".join(
        f"<member><TargetGroupArn>{escape(arn)}</TargetGroupArn><Weight>{weight}</Weight></member>"
        for arn, weight in weights(action)
    )
    sticky = "<TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig>"
    config = f"<{FORWARD}><TargetGroups>{groups}</TargetGroups>{sticky}</{FORWARD}>"
    return xml.removesuffix("</member>") + config + "</member>"


def _tg_xml(group: Mapping[str, Any]) -> str:
    xml: str = _ORIGINAL["group"](group)
    more = "<ProtocolVersion>HTTP1</ProtocolVersion><IpAddressType>ipv4</IpAddressType>"
    return xml.removesuffix("</member>") + more + "</member>"


def _lb_xml(balancer: Mapping[str, Any]) -> str:
    """Return the subnets' real zones and VPC, in place of MiniStack's invented ones."""
    xml: str = _ORIGINAL["lb"](balancer)
    for subnet in balancer.get("Subnets", []):
        record = ec2._subnets.get(subnet)
        if record:
            zone = record["AvailabilityZone"]
            xml = re.sub(rf"<ZoneName>[^<]*(</ZoneName><SubnetId>{subnet}<)", rf"<ZoneName>{zone}\1", xml)
            xml = re.sub(r"<VpcId>[^<]*<", f"<VpcId>{record['VpcId']}<", xml)
    return xml


# --- Targets: MiniStack identifies them by id, AWS by id and port --------------------------------------


def _targets_of(params: Params) -> tuple[str, list[Target], list[str]]:
    arn = alb._p(params, "TargetGroupArn")
    group = alb._tgs.get(arn)
    if group is None:
        raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    given = alb._parse_targets_param(params)
    without_port = [target["Id"] for target in given if "Port" not in target]
    return arn, [Target(t["Id"], int(t.get("Port", group["Port"]))) for t in given], without_port


def _register(params: Params) -> Answer:
    arn, given, _ = _targets_of(params)
    for target in given:
        validation.check_address(target.id)
        validation.check_is_private(target.id)
    targets = alb._targets.setdefault(arn, [])
    known = {(target["Id"], target["Port"]) for target in targets}
    targets.extend({"Id": t.id, "Port": t.port} for t in given if (t.id, t.port) not in known)
    answer: Answer = alb._empty("RegisterTargets")
    return answer


def _deregister(params: Params) -> Answer:
    arn, given, without_port = _targets_of(params)
    removed = {(target.id, target.port) for target in given}
    alb._targets[arn] = [
        target
        for target in alb._targets.get(arn, [])
        if (target["Id"], target["Port"]) not in removed and target["Id"] not in without_port
    ]
    answer: Answer = alb._empty("DeregisterTargets")
    return answer


def _describe_health(health: Health) -> Callable[[Params], Answer]:
    def describe(params: Params) -> Answer:
        arn, requested, _ = _targets_of(params)
        members = "".join(f"<member>{_xml(item)}</member>" for item in health(arn, requested))
        inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        answer: Answer = alb._xml(200, "DescribeTargetHealth", inner)
        return answer

    return describe


def _xml(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in value.items())
    return escape(str(value))


def _create_load_balancer(request: Request) -> Answer:
    """Create a load balancer, or return the one with the same settings.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    given = request.members
    wanted = {
        "LoadBalancerName": given["Name"],
        "Scheme": given.get("Scheme", "internet-facing"),
        "Subnets": given.get("Subnets"),
        "SecurityGroups": given.get("SecurityGroups", []),
        "IpAddressType": given.get("IpAddressType", "ipv4"),
    }
    for balancer in alb._lbs.values():
        if {key: balancer[key] for key in wanted} == wanted:
            xml = f"<LoadBalancers>{_lb_xml(balancer)}</LoadBalancers>"
            same: Answer = alb._xml(200, "CreateLoadBalancer", xml)
            return same
    answer: Answer = _ORIGINAL_ACTIONS["CreateLoadBalancer"](request)
    return answer


def _delete_load_balancer(params: Params) -> Answer:
    arn = alb._p(params, "LoadBalancerArn")
    for listener in [key for key, item in alb._listeners.items() if item["LoadBalancerArn"] == arn]:
        _ORIGINAL_ACTIONS["DeleteListener"]({"ListenerArn": [listener]})
    answer: Answer = _ORIGINAL_ACTIONS["DeleteLoadBalancer"](params)
    return answer


# --- ACM certificates of listeners --------------------------------------------------------------------


def _delete_certificate(data: Mapping[str, Any]) -> Answer:
    arn = data.get("CertificateArn", "")
    if any(arn in listener.get("Certificates", []) for listener in everything(alb._listeners).values()):
        body = {"__type": "ResourceInUseException", "message": f"Certificate {arn} is in use."}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()
    answer: Answer = _ORIGINAL_CERTIFICATES["delete"](data)
    return answer


def _import_certificate(on_change: Callable[[ElbSnapshot], None]) -> Callable[[Mapping[str, Any]], Answer]:
    """Let listeners use a certificate that is imported again at once."""

    def imported(data: Mapping[str, Any]) -> Answer:
        answer: Answer = _ORIGINAL_CERTIFICATES["import"](data)
        if answer[0] == 200:
            on_change(elbv2_snapshot.current())
        return answer

    return imported
