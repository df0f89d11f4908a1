"""Tells the operations that MiniStack lacks from those that AWS does not have.

MiniStack says InvalidAction of both, which is AWS's word for the second kind only:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from botocore.exceptions import UnknownServiceError

from local_aws.core.api import Response, service_model
from local_aws.ministack.compat import require

Handle = Callable[..., Awaitable[Response]]
UNKNOWN = re.compile(
    r"(?:Unknown (?:\w+ )?(?:action|operation): |The action )'?(\w+)'?(?: is not valid for this endpoint\.)?"
)
CODE = re.compile(
    r"InvalidAction|(?:UnknownOperation|InvalidOperation|InvalidArgument|InvalidRequest)Exception"
)
# MiniStack's name of a service -> botocore's, where they differ.
MODELS = {
    "documentdb": "docdb",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "airflow": "mwaa",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}

app = require("app", "SERVICE_HANDLERS")


def patch_unknown_operations() -> None:
    """Let every service of MiniStack answer UnsupportedOperation for an operation that AWS has."""
    for service, handle in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = _named(MODELS.get(service, service), handle)


def _named(service: str, handle: Handle) -> Handle:
    async def named(*request: Any) -> Response:
        return name_unsupported(service, await handle(*request))

    return named


def name_unsupported(service: str, response: Response) -> Response:
    """Return a response, or UnsupportedOperation in its place for an operation that only MiniStack lacks."""
    status, headers, body = response
    # A CBOR body has the lengths of its texts.
    if status != 400 or "cbor" in str(headers) or not isinstance(body, bytes):
        return response
    text = body.decode("utf-8", "replace")
    found = UNKNOWN.search(text)
    if found is None or not _has(service, found[1]):
        return response
    text = UNKNOWN.sub(f"local_aws does not implement {service}:{found[1]}", text)
    headers = {name: CODE.sub("UnsupportedOperation", value) for name, value in headers.items()}
    headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return 501, headers, CODE.sub("UnsupportedOperation", text).encode()


def _has(service: str, operation: str) -> bool:
    try:
        return operation in service_model(service).operation_names
    except UnknownServiceError:
        return False
