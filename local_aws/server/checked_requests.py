"""Reads the requests that are checked before MiniStack handles them, and refuses them in their protocol."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import Response
from local_aws.iam.error_responses import Denial, response
from local_aws.iam.request_parser import HttpRequest, WrongScopeError, parse_call
from local_aws.ministack.request_checks.model import Request
from local_aws.ministack.request_checks.rules import Error


def read_request(request: Request, service: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the operation of a request and its parameters, or None if it is signed for another service."""
    try:
        call = parse_call(_http_request(request), service)
    except WrongScopeError:
        return None
    return call.operation, call.params


def error_response(request: Request, service: str, error: Error, status: int) -> Response:
    """Return the response of an error."""
    code, message = error
    return response(Denial(message, code, status), _http_request(request), service)


def _http_request(request: Request) -> HttpRequest:
    return HttpRequest(request.method, request.path, request.query, request.headers, request.body)
