"""What ECR checks before it stores a lifecycle policy."""

import json

from local_aws.core.api import AwsError


def check_lifecycle_policy(text: str) -> None:
    """Raise InvalidParameterException unless the policy is JSON with at least one rule."""
    try:
        rules = json.loads(text)["rules"]
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("InvalidParameterException", f"Invalid lifecycle policy: {error}") from error
    if not rules:
        raise AwsError("InvalidParameterException", "Invalid lifecycle policy: no rules")
