"""What AWS refuses as a name, and MiniStack's CloudFormation takes (pitfall L)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.ministack.compat import require

# The name that is wrong -> AWS's words, or None.
Check = Callable[[str], str | None]

# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


def _at_most(longest: int, member: str) -> Check:
    def check(name: str) -> str | None:
        if len(name) <= longest:
            return None
        return (
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}"
        )

    return check


def _repository(name: str) -> str | None:
    """Check the schema of AWS::ECR::Repository."""
    if REPOSITORY.fullmatch(name):
        return None
    return "Model validation failed (#/RepositoryName: failed validation constraint for keyword [pattern])"


def _bucket(name: str) -> str | None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""
    if not 3 <= len(name) <= 63:
        return "Bucket name should be between 3 and 63 characters long"
    if name != name.lower():
        return "Bucket name should not contain uppercase characters"
    return None


# Type -> the property that names it, and what it may be. Our own services check theirs themselves.
NAMES: dict[str, tuple[str, Check]] = {
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    "AWS::IAM::Role": ("RoleName", _at_most(64, "roleName")),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    "AWS::Events::Rule": ("Name", _at_most(64, "name")),
    "AWS::ECR::Repository": ("RepositoryName", _repository),
    "AWS::S3::Bucket": ("BucketName", _bucket),
}


def install() -> None:
    """Check these names before anything is made of them."""
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    for kind, (key, check) in NAMES.items():
        handlers[kind] = {**handlers[kind], "create": _checked(handlers[kind]["create"], key, check)}


def _checked(original: Callable[..., Any], key: str, check: Check) -> Callable[..., Any]:
    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> Any:
        if (name := props.get(key)) and (words := check(str(name))):
            raise ValueError(words)
        return original(logical_id, props, stack)

    return create
