"""Fargate's platform versions for Linux: which exist, and what a task definition needs of them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError

LATEST = "LATEST"
NEWEST = "1.4.0"
VERSIONS = (LATEST, NEWEST, "1.3.0")


def check_platform(definition: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse a version that does not exist, and one that lacks what the task definition uses."""
    version = params.get("platformVersion", LATEST)
    if version not in VERSIONS:
        raise AwsError("PlatformUnknownException", "The specified platform does not exist.")
    if version not in (LATEST, NEWEST) and definition.get("ephemeralStorage"):
        raise AwsError(
            "PlatformTaskDefinitionIncompatibilityException",
            f"The platform version {version} does not support ephemeralStorage: it needs {NEWEST}.",
        )
