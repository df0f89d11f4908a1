"""Rejects names that no schema of a resource type rejects, and AWS does (pitfall L)."""

from collections.abc import Callable
from functools import partial

from local_aws.core.cloudformation import Properties
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import check_before_create

s3 = require("services.s3", "_validate_bucket_name")

# Takes a name, and returns AWS's error message or None.
NameCheck = Callable[[str], str | None]


def _bucket(name: str) -> str | None:
    """Check its length and form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""
    if not 3 <= len(name) <= 63:
        return "Bucket name should be between 3 and 63 characters long"
    if not s3._validate_bucket_name(name):
        return "The specified bucket is not valid."
    return None


# Resource type -> the property with the name, and its check.
NAME_CHECKS: dict[str, tuple[str, NameCheck]] = {
    "AWS::S3::Bucket": ("BucketName", _bucket),
}


def patch_name_validation() -> None:
    """Check these names before a resource is created."""
    for resource_type, (key, check) in NAME_CHECKS.items():
        check_before_create(resource_type, partial(_check_name, key, check))


def _check_name(key: str, check: NameCheck, props: Properties) -> None:
    if (name := props.get(key)) and (message := check(str(name))):
        raise ValueError(message)
