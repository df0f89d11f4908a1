"""Rejects resource names that AWS rejects and MiniStack's CloudFormation accepts (pitfall L)."""

import re
from collections.abc import Callable

from local_aws.core.cloudformation import Properties
from local_aws.ministack.handlers import Created, patch_handler, resource_handlers

# Takes a name, and returns AWS's error message or None.
NameCheck = Callable[[str], str | None]

# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


def _max_length(length: int, member: str) -> NameCheck:
    def check(name: str) -> str | None:
        if len(name) <= length:
            return None
        return (
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {length}"
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


# Resource type -> the property with the name, and its check. Our own services check their names themselves.
NAME_CHECKS: dict[str, tuple[str, NameCheck]] = {
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    "AWS::IAM::Role": ("RoleName", _max_length(64, "roleName")),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
    "AWS::Events::Rule": ("Name", _max_length(64, "name")),
    "AWS::ECR::Repository": ("RepositoryName", _repository),
    "AWS::S3::Bucket": ("BucketName", _bucket),
}


def patch_name_validation() -> None:
    """Check these names before a resource is created."""
    for resource_type, (key, check) in NAME_CHECKS.items():
        create = resource_handlers()[resource_type]["create"]
        patch_handler(resource_type, create=_checked(create, key, check))


def _checked(original: Callable[..., Created], key: str, check: NameCheck) -> Callable[..., Created]:
    def create(logical_id: str, props: Properties, stack: str) -> Created:
        if (name := props.get(key)) and (message := check(str(name))):
            raise ValueError(message)
        return original(logical_id, props, stack)

    return create
