"""What ELBv2 checks in the actions of a listener or a rule, besides the model and the target groups.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.elbv2.errors import unsupported, validation_error

Action = Mapping[str, Any]

# The actions that answer a request, each with the member that says how; a forward action may have another.
CONFIGURATIONS = {"forward": "", "redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
# What a redirect keeps, by member.
KEPT = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}"}
HIGHEST_PORT = 65535


def check_actions(actions: Sequence[Action], protocol: str, port: str) -> None:
    """Raise `AwsError` for actions that AWS rejects, or that local_aws does not implement."""
    if not actions:
        raise validation_error("A listener or rule must have an action")
    for action in actions:
        if action["Type"] not in CONFIGURATIONS:
            raise unsupported(f"actions of type {action['Type']}")
    if len(actions) > 1:
        raise _invalid("A rule has exactly one action of the types forward, redirect and fixed-response")
    for action in actions:
        _check_configuration(action)
        _check_forward(action)
        _check_fixed_response(action.get("FixedResponseConfig", {}))
        if "RedirectConfig" in action:
            _check_redirect(action["RedirectConfig"], {"Protocol": protocol, "Port": port})


def _check_configuration(action: Action) -> None:
    """Check that an action has its member. The message: hashicorp/terraform#32620."""
    kind, member = action["Type"], CONFIGURATIONS[action["Type"]]
    if member and member not in action:
        raise _invalid(f"For actions of type '{kind}', you must specify the following fields: '{member}'")


def _check_forward(action: Action) -> None:
    """Check that the one target group of an action is that of its configuration.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html
    """
    groups = [each.get("TargetGroupArn") for each in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    if "TargetGroupArn" in action and groups and groups != [action["TargetGroupArn"]]:
        raise validation_error(
            "With a TargetGroupArn, a ForwardConfig can only have the same target group, and no other"
        )


def _check_fixed_response(config: Mapping[str, Any]) -> None:
    content_type = config.get("ContentType", CONTENT_TYPES[0])
    if content_type not in CONTENT_TYPES:
        raise validation_error(f"Content type '{content_type}' must be one of '{', '.join(CONTENT_TYPES)}'")


def _check_redirect(config: Mapping[str, Any], listener: Mapping[str, str]) -> None:
    """Check a redirect. The message of a loop: kubernetes-sigs/aws-load-balancer-controller#1752."""
    port, path = str(config.get("Port", KEPT["Port"])), str(config.get("Path", KEPT["Path"]))
    if port != KEPT["Port"] and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= HIGHEST_PORT):
        raise validation_error(f"Redirect port '{port}' must be between '1' and '{HIGHEST_PORT}' inclusive")
    if not path.startswith("/"):
        raise validation_error(f"Redirect path '{path}' must begin with a '/'")
    changed = [
        name for name, kept in KEPT.items() if config.get(name, kept) not in (kept, listener.get(name))
    ]
    if not changed:
        raise _invalid("The redirect configuration is not valid because it creates a loop.")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidLoadBalancerAction", message)
