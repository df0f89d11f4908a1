"""A refusal in the words and the form of the service that refuses.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError

from local_aws.core.api import Response, service_model
from local_aws.iam.evaluation import Decision, Request
from local_aws.iam.request_parser import MODELS, HttpRequest


@dataclass(frozen=True)
class Refusal:
    """What is told of a refused request. `code` is AWS's, without the suffix that JSON services add."""

    message: str
    code: str = "AccessDenied"
    status: int = 403


def refusal(request: Request, decision: Decision) -> Refusal:
    """Return what AWS says of a refused request."""
    if request.action == "sts:AssumeRoleWithWebIdentity":
        return Refusal("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    said = f"User: {request.caller.name} is not authorized to perform: {request.action}"
    if request.resource != "*" or request.action.startswith(("ecr:", "ssm:", "logs:", "ecs:")):
        said += f" on resource: {request.resource}"
    # STS does not tell which of the two policies it was.
    reason = "" if request.action.startswith("sts:AssumeRole") else f" {decision.reason}"
    return Refusal(
        said + reason, "AuthorizationError" if request.action.startswith("sns:") else "AccessDenied"
    )


def response(told: Refusal, request: HttpRequest, service: str) -> Response:
    """Return the HTTP answer, in the protocol in which `service` (as in a signature's scope) was asked."""
    identifier = str(uuid.uuid4())
    headers = {"x-amzn-requestid": identifier}
    if service == "s3":
        body = f"<Error><Code>{told.code}</Code><Message>{escape(told.message)}</Message></Error>"
        return told.status, {**headers, "Content-Type": "application/xml"}, _xml(body)
    if service == "ec2":
        code = "UnauthorizedOperation" if told.code == "AccessDenied" else told.code
        error = f"<Error><Code>{code}</Code><Message>{escape(told.message)}</Message></Error>"
        body = f"<Response><Errors>{error}</Errors><RequestID>{identifier}</RequestID></Response>"
        return told.status, {**headers, "Content-Type": "text/xml"}, _xml(body)
    if "x-amz-target" not in request.headers and _protocol(service) == "query":
        error = f"<Type>Sender</Type><Code>{told.code}</Code><Message>{escape(told.message)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error><RequestId>{identifier}</RequestId></ErrorResponse>"
        return told.status, {**headers, "Content-Type": "text/xml"}, _xml(body)
    return _json(told, request, headers)


def _json(told: Refusal, request: HttpRequest, headers: dict[str, str]) -> Response:
    code = "AccessDeniedException" if told.code == "AccessDenied" else told.code
    status = 400 if "x-amz-target" in request.headers else told.status
    if "cbor" in request.headers.get("content-type", ""):
        content = _cbor({"__type": code, "message": told.message})
        about = {**headers, "Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, about, content
    body = json.dumps({"__type": code, "message": told.message, "Message": told.message}).encode()
    return status, {**headers, "Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}, body


def _protocol(service: str) -> str:
    try:
        return str(service_model(MODELS.get(service, service)).metadata.get("protocol", ""))
    except UnknownServiceError:
        return ""


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _cbor(content: dict[str, str]) -> bytes:
    """Encode a map of short texts (RFC 8949): CloudWatch's protocol; no library of ours has it."""
    parts = [bytes([0xA0 + len(content)])]
    for text in (part for pair in content.items() for part in pair):
        raw = text.encode()
        parts += [b"\x79" + len(raw).to_bytes(2, "big"), raw]
    return b"".join(parts)
