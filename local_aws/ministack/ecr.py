"""Routes the Docker registry's paths, which MiniStack's gateway passes to its own ECR, to our ECR."""

from collections.abc import Awaitable, Callable
from typing import Any

from local_aws.core.api import Response
from local_aws.ministack.compat import require

RegistryHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Response]]


def route_registry(handler: RegistryHandler) -> None:
    """Let `handler` answer `/v2/<repository>/(blobs|manifests|tags)/...`."""
    require("services.ecr", "handle_registry_request").handle_registry_request = handler
