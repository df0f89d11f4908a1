"""Reports each call that MiniStack's own services answered: it shows what is used without checks of ours."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from local_aws.core.api import Response
from local_aws.ministack.compat import require

Handle = Callable[..., Awaitable[Response]]
# (service, method, path, headers, body, query)
Record = Callable[..., None]

app = require("app", "SERVICE_HANDLERS")


def patch_passed_through(checked: Collection[str], record: Record) -> None:
    """Report the calls of every service but those of `checked`, by MiniStack's names."""
    for service, handle in app.SERVICE_HANDLERS.items():
        if service not in checked:
            app.SERVICE_HANDLERS[service] = _recorded(service, handle, record)


def _recorded(service: str, handle: Handle, record: Record) -> Handle:
    async def recorded(*request: Any) -> Response:
        response = await handle(*request)
        if response[0] < 400:
            record(service, *request)
        return response

    return recorded
