"""One API call as AWS's hosts see it, and the errors that they answer."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from aiohttp import web

# The services of `?Action=...`.
QUERY = frozenset({"cloudformation", "ec2", "elasticloadbalancing", "iam", "monitoring", "sns", "sqs", "sts"})


@dataclass(frozen=True)
class Call:
    """A signed call; `operation` is empty for the services whose calls are told by their paths."""

    service: str
    operation: str
    method: str
    path: str


def read_call(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what is called."""
    target = headers.get("X-Amz-Target", "").rpartition(".")[2]
    is_form = headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0] if is_form else ""
    return Call(service, target or action, method, path)


def error(call: Call, code: str, message: str, status: int = 400) -> web.Response:
    """Return an error in the call's protocol.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    request, text = str(uuid.uuid4()), escape(message)
    if call.service == "ec2":
        inner = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
        body = f"<Response><Errors>{inner}</Errors><RequestID>{request}</RequestID></Response>"
    elif call.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    elif call.service in QUERY and call.operation and call.service != "sqs":
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
        body = f"<ErrorResponse>{inner}<RequestId>{request}</RequestId></ErrorResponse>"
    else:
        body = json.dumps({"__type": code, "message": message})
        headers = {"X-Amzn-ErrorType": code, "X-Amzn-RequestId": request}
        return web.Response(
            text=body, status=status, headers=headers, content_type="application/x-amz-json-1.1"
        )
    return web.Response(text=body, status=status, content_type="text/xml")
