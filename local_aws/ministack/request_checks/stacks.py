"""What CloudFormation refuses of the requests that begin a deployment.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.account_scope import account_of
from local_aws.ministack.iam import role
from local_aws.ministack.request_checks.rules import Checks, Rule, unlike
from local_aws.ministack.request_checks.tags import TagCodes

INVALID = "ValidationError"
ROLE = r"arn:aws[\w-]*:iam::\d{12}:role/.+"


def _is_missing_role(arn: str) -> bool:
    return role(account_of(arn), arn.rpartition("/")[2]) is None


def _has_two_templates(params: Mapping[str, Any]) -> bool:
    return bool(params.get("TemplateBody")) and bool(params.get("TemplateURL"))


CHECKS = Checks(
    invalid=INVALID,
    states=(
        Rule("", _has_two_templates, INVALID, "You must specify either a template body or a template URL."),
        Rule("RoleARN", unlike(ROLE), INVALID, "Role {} is invalid or cannot be assumed"),
        Rule("RoleARN", _is_missing_role, INVALID, "Role {} is invalid or cannot be assumed"),
    ),
    tags=TagCodes(INVALID, too_many=INVALID, duplicate=INVALID),
)
