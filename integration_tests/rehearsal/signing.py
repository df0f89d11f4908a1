"""Signature version 4 of AWS's hosts: checked, and made again for the host of local_aws.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,\s*"
    r"SignedHeaders=(?P<names>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_GIT = re.compile(r"(?P<time>\d{8}T\d{6})Z[0-9a-f]{64}")


@dataclass(frozen=True)
class Signed:
    """The parts of a signed call's Authorization header."""

    key: str
    region: str
    service: str
    names: str
    signature: str


def parse(authorization: str) -> Signed | None:
    """Return the parts of an Authorization header of version 4, or None."""
    found = _HEADER.fullmatch(authorization)
    return Signed(**found.groupdict()) if found else None


def signature(
    signed: Signed, secret: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the signature of a call to `url`, over the headers that the caller signed."""
    kind = S3SigV4Auth if signed.service == "s3" else SigV4Auth
    signer = kind(Credentials(signed.key, secret), signed.service, signed.region)
    names = [name for name in signed.names.split(";") if name != "host"]
    request = AWSRequest(method, url, {name: headers.get(name, "") for name in names}, body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


def git_user(authorization: str) -> tuple[str, str]:
    """Return the user name and the password that git sends; both are empty without a valid header."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def git_authorization(
    user: str, password: str, secret: str, path: str, hosts: tuple[str, str], region: str
) -> str:
    """Return the header for the second host if the password is that of the first, and nothing otherwise.

    https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html
    """
    found = _GIT.fullmatch(password)
    if found is None:
        return ""
    expected, other = (_git_password(secret, path, host, region, found["time"]) for host in hosts)
    if not hmac.compare_digest(expected, password):
        return ""
    return f"Basic {base64.b64encode(f'{user}:{other}'.encode()).decode()}"


def _git_password(secret: str, path: str, host: str, region: str, time: str) -> str:
    signer = SigV4Auth(Credentials("", secret), "codecommit", region)
    request = AWSRequest()
    request.context["timestamp"] = time
    text = signer.string_to_sign(request, f"GIT\n{path}\n\nhost:{host}\n\nhost\n")
    return f"{time}Z{signer.signature(text, request)}"
