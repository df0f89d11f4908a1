"""Who made a request: a signature proves that its maker has the secret of the access key.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

import base64
import binascii
import re

from local_aws.iam import signatures
from local_aws.iam.error_responses import Denial
from local_aws.iam.request_parser import Call, Credential, HttpRequest, form_of, lacks_members
from local_aws.ministack import iam as store

MISSING = Denial("Request is missing Authentication Token", "MissingAuthenticationToken")
INVALID = Denial("The security token included in the request is invalid.", "UnrecognizedClientException")
EXPIRED = Denial("The security token included in the request is expired", "ExpiredTokenException")
MISMATCH = Denial(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details.",
    "SignatureDoesNotMatch",
)
# SNS and SQS say so of a signature of an earlier version.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
INSECURE = Denial("The request must be signed with Signature Version 4.", "InvalidSecurity")
_TARGET = "AmazonSQS."
_API_VERSIONS = {"2010-03-31": "sns", "2012-11-05": "sqs"}
# What needs no signature: the registries, which have their own logins, health checks, and the URLs with a
# token of their own that CloudFormation gives to custom resources.
_OPEN = re.compile(
    r"(GET|HEAD) (/health|/_localstack/health|/_ministack/(health|ready))"
    r"|PUT /_ministack/cfn-(response|signal)/.+"
    r"|[A-Z]+ /v2/.*"
)

WEB_IDENTITY = "AssumeRoleWithWebIdentity"
# The links in SNS's e-mails.
UNSIGNED = frozenset({"ConfirmSubscription", "Unsubscribe"})


def needs_no_token(call: Call) -> bool:
    """Return whether a call without a signature is allowed, or refused by the service, without a token."""
    return call.operation in UNSIGNED or (call.operation == WEB_IDENTITY and lacks_members(call, "sts"))


def insecure_service(request: HttpRequest) -> str:
    """Return the service of a request to SNS or SQS that has a signature of version 2 or 3, or nothing."""
    form = form_of(request)
    if "x-amzn-authorization" not in request.headers and "SignatureVersion" not in form:
        return ""
    is_queue = request.headers.get("x-amz-target", "").startswith(_TARGET)
    return "sqs" if is_queue else _API_VERSIONS.get(form.get("Version", ""), "")


def is_open(request: HttpRequest) -> bool:
    """Return whether an unsigned request needs no authentication here."""
    return _OPEN.fullmatch(f"{request.method} {request.path}") is not None


def authenticate(request: HttpRequest, credential: Credential, owner_secret: str) -> Denial | None:
    """Return why a signed request is not its access key's, or None. `owner_secret` is the root users'."""
    if store.is_root(credential.access_key):
        secret = owner_secret
    else:
        session = store.session(credential.access_key)
        if session is None or (session.token and session.token != credential.token):
            return INVALID
        if session.expired:
            return EXPIRED
        secret = session.secret
    return None if signatures.is_signed_with(secret, request, credential.service) else MISMATCH


def git_access_key(authorization: str, path: str, host: str, region: str, owner_secret: str) -> str | None:
    """Return the access key that git presents for a repository's path, or None if the password is not its.

    The user name is the access key, for temporary credentials with `%` and the session token.
    """
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    key, _, token = user.partition("%")
    secret = owner_secret if store.is_root(key) else _secret_of_session(key, token)
    if scheme.lower() != "basic" or not secret:
        return None
    return key if signatures.is_git_password(secret, password, path, host, region) else None


def _secret_of_session(key: str, token: str) -> str | None:
    session = store.session(key)
    if session is None or session.expired or session.token != token:
        return None
    return session.secret
