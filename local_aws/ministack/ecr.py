"""MiniStack's gateway asks its own ECR module for the paths of a Docker registry; here it asks us."""

from collections.abc import Awaitable, Callable
from typing import Any

from local_aws.core.api import Response
from local_aws.ministack.compat import require

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Response]]


def route_registry(handler: Handler) -> None:
    """Answer `/v2/<repository>/(blobs|manifests|tags)/...` with `handler`."""
    require("services.ecr", "handle_registry_request").handle_registry_request = handler
