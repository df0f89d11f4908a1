"""Refusals before a service is asked: AWS's message, in the protocol of the service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import itertools
import json
import uuid
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError

from local_aws.core.api import Response, service_model
from local_aws.iam.evaluation import Decision, Request
from local_aws.iam.request_parser import MODELS, HttpRequest

# The code of a service that may not use a key as its caller, where it is one of its own.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
_KEY_CODES = {"sns": "KMSAccessDenied", "sqs": "KmsAccessDenied"}


@dataclass(frozen=True)
class Denial:
    """The error of a denied request. `code` is AWS's, without the suffix that JSON services add."""

    message: str
    code: str = "AccessDenied"
    status: int = 403


def denial_of(request: Request, decision: Decision) -> Denial:
    """Return AWS's error for a denied request."""
    if request.action == "sts:AssumeRoleWithWebIdentity":
        return Denial("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    message = f"User: {request.caller.name} is not authorized to perform: {request.action}"
    if request.resource != "*" or request.action.startswith(("ecr:", "ssm:", "logs:", "ecs:")):
        message += f" on resource: {request.resource}"
    key_code = _KEY_CODES.get(str(request.values.get("kms:viaservice", "")).partition(".")[0])
    if key_code is not None:
        return Denial(f"{message} {decision.reason}", key_code, 400)
    # STS does not report which of the two policies it was.
    reason = "" if request.action.startswith("sts:AssumeRole") else f" {decision.reason}"
    return Denial(
        message + reason, "AuthorizationError" if request.action.startswith("sns:") else "AccessDenied"
    )


def response(denial: Denial, request: HttpRequest, service: str) -> Response:
    """Return the HTTP response in the protocol of `service`, as named in a signature's scope."""
    denial = _in_protocol(denial, request, service)
    identifier = str(uuid.uuid4())
    headers = {"x-amzn-requestid": identifier}
    if service == "s3":
        body = f"<Error><Code>{denial.code}</Code><Message>{escape(denial.message)}</Message></Error>"
        return denial.status, {**headers, "Content-Type": "application/xml"}, _xml(body)
    if service == "ec2":
        code = "UnauthorizedOperation" if denial.code == "AccessDenied" else denial.code
        error = f"<Error><Code>{code}</Code><Message>{escape(denial.message)}</Message></Error>"
        body = f"<Response><Errors>{error}</Errors><RequestID>{identifier}</RequestID></Response>"
        return denial.status, {**headers, "Content-Type": "text/xml"}, _xml(body)
    if "x-amz-target" not in request.headers and _protocol(service) == "query":
        error = f"<Type>Sender</Type><Code>{denial.code}</Code><Message>{escape(denial.message)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error><RequestId>{identifier}</RequestId></ErrorResponse>"
        return denial.status, {**headers, "Content-Type": "text/xml"}, _xml(body)
    return _json(denial, request, headers)


def _in_protocol(denial: Denial, request: HttpRequest, service: str) -> Denial:
    """Return the error with the code that the service's protocol has for a failed authentication.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    if denial.code not in ("UnrecognizedClientException", "SignatureDoesNotMatch"):
        return denial
    unknown = denial.code == "UnrecognizedClientException"
    if service == "ec2":
        text = "AWS was not able to validate the provided access credentials"
        return Denial(text, "AuthFailure", 401)
    if service == "s3":
        return replace(denial, code="InvalidAccessKeyId") if unknown else denial
    if "x-amz-target" in request.headers or _protocol(service) != "query":
        return denial if unknown else replace(denial, code="InvalidSignatureException")
    return replace(denial, code="InvalidClientTokenId") if unknown else denial


def _json(denial: Denial, request: HttpRequest, headers: dict[str, str]) -> Response:
    code = "AccessDeniedException" if denial.code == "AccessDenied" else denial.code
    status = 400 if "x-amz-target" in request.headers and denial.status == 403 else denial.status
    if "cbor" in request.headers.get("content-type", ""):
        content = _cbor({"__type": code, "message": denial.message})
        about = {**headers, "Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, about, content
    body = json.dumps({"__type": code, "message": denial.message, "Message": denial.message}).encode()
    return status, {**headers, "Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}, body


def _protocol(service: str) -> str:
    try:
        return str(service_model(MODELS.get(service, service)).metadata.get("protocol", ""))
    except UnknownServiceError:
        return ""


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _cbor(content: dict[str, str]) -> bytes:
    """Encode a map of short strings (RFC 8949). botocore's serializer needs an operation's model for it."""
    parts = [bytes([0xA0 + len(content)])]
    for text in itertools.chain.from_iterable(content.items()):
        raw = text.encode()
        parts += [b"\x79" + len(raw).to_bytes(2, "big"), raw]
    return b"".join(parts)
