"""Refuses requests that AWS refuses, before MiniStack, which accepts many of them, handles them.

What is refused is in tables, one module a service. Each request is first compared with botocore's model.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local_aws.core.api import Response
from local_aws.core.clients import is_internal
from local_aws.ministack.compat import require
from local_aws.ministack.request_checks import (
    alarms,
    buckets,
    event_rules,
    functions,
    keys,
    logs,
    messages,
    networks,
    parameters,
    roles,
    stacks,
)
from local_aws.ministack.request_checks.counts import count_error
from local_aws.ministack.request_checks.model import Request, model_error, parsed, status_of
from local_aws.ministack.request_checks.rules import Checks, Error
from local_aws.ministack.request_checks.tags import tag_error
from local_aws.ministack.unknown_operations import MODELS

Handle = Callable[..., Awaitable[Response]]
# Returns the operation of a request and its parameters, or None.
Read = Callable[[Request, str], tuple[str, Mapping[str, Any]] | None]
# Returns the response of an error, in the protocol of a service.
Respond = Callable[[Request, str, Error, int], Response]

# By MiniStack's names of its services.
CHECKS: Mapping[str, Checks] = {
    "cloudformation": stacks.CHECKS,
    "ec2": networks.CHECKS,
    "events": event_rules.CHECKS,
    "iam": roles.CHECKS,
    "kms": keys.CHECKS,
    "lambda": functions.CHECKS,
    "logs": logs.CHECKS,
    "monitoring": alarms.CHECKS,
    "s3": buckets.CHECKS,
    "sns": messages.TOPICS,
    "sqs": messages.QUEUES,
    "ssm": parameters.CHECKS,
    "sts": roles.SESSIONS,
}

app = require("app", "SERVICE_HANDLERS")


def patch_request_checks(read: Read, respond: Respond) -> None:
    """Check every request to the services of `CHECKS`."""
    for service, checks in CHECKS.items():
        app.SERVICE_HANDLERS[service] = _checked(
            service, checks, app.SERVICE_HANDLERS[service], read, respond
        )


def _checked(service: str, checks: Checks, handle: Handle, read: Read, respond: Respond) -> Handle:
    model = MODELS.get(service, service)

    async def checked(*given: Any) -> Response:
        request = Request(*given)
        # Our own services may do more: they set AWS's tags, and publish to AWS's namespaces of metrics.
        call = None if is_internal(request.headers) else read(request, service)
        found = None if call is None else _error(model, checks, request, *call)
        if call is None or found is None:
            return _renamed(await handle(*given), checks.renamed)
        status = status_of(model, call[0], found[0])
        return respond(request, service, found, status)

    return checked


def _renamed(response: Response, codes: Mapping[str, str]) -> Response:
    status, headers, body = response
    if status < 400 or not codes:
        return response
    for ours, theirs in codes.items():
        body = body.replace(f"<Code>{ours}</Code>".encode(), f"<Code>{theirs}</Code>".encode())
    headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return status, headers, body


def _error(
    model: str, checks: Checks, request: Request, operation: str, raw: Mapping[str, Any]
) -> Error | None:
    params = parsed(model, operation, raw, request)
    if params is None:
        return None
    return (
        checks.form_error(operation, params)
        or model_error(model, operation, params, checks)
        or (tag_error(params, checks.tags) if checks.tags else None)
        or checks.state_error(operation, params)
        or count_error(model, operation, params)
    )
