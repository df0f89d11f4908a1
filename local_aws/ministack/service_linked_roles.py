"""Service-linked roles: named as AWS names them, and created for a service at its first use."""

from typing import Any

from local_aws.core.api import Response
from local_aws.ministack.account_scope import scope
from local_aws.ministack.compat import require

iam = require("services.iam", "_IAM_HANDLERS", "_create_service_linked_role", "_error", "_p", "_roles")

# MiniStack makes a name from the first part of the service's, which AWS does not.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
# https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
NAMES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
}


def patch_service_linked_roles() -> None:
    """Let CreateServiceLinkedRole name a role as AWS does, and reject a second one with AWS's error."""
    iam._IAM_HANDLERS["CreateServiceLinkedRole"] = _create


def role_arn(account: str, service: str) -> str:
    """Return the ARN of the role of a service, which `NAMES` has."""
    return f"arn:aws:iam::{account}:role/aws-service-role/{service}/{NAMES[service]}"


def exists(account: str, service: str) -> bool:
    """Return whether an account has the role of a service."""
    with scope(account):
        return NAMES[service] in iam._roles


def create(account: str, service: str) -> None:
    """Create the role of a service."""
    with scope(account):
        _create({"AWSServiceName": [service]})


def _create(params: dict[str, Any]) -> Response:
    name = NAMES.get(str(iam._p(params, "AWSServiceName")))
    if name in iam._roles:
        taken = f"Service role name {name} has been taken in this account, please try a different suffix."
        refused: Response = iam._error(400, "InvalidInput", taken)
        return refused
    before = set(iam._roles.keys())
    created: Response = iam._create_service_linked_role(params)
    for given in set(iam._roles.keys()) - before if name else ():
        role = iam._roles.pop(given)
        iam._roles[name] = {**role, "RoleName": name, "Arn": role["Arn"].replace(given, str(name))}
        status, headers, body = created
        created = status, headers, body.replace(given.encode(), str(name).encode())
    return created
