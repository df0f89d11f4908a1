"""Verifies signatures: version 4 of API calls, and the passwords that CodeCommit's credential helper makes.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from botocore.utils import normalize_url_path

from local_aws.iam.request_parser import HttpRequest

# A request is valid for so long, and a clock may differ by as much.
WINDOW = timedelta(minutes=15)
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/(?P<scope>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_GIT_PASSWORD = re.compile(r"(?P<time>\d{8}T\d{6})Z(?P<signature>[0-9a-f]{64})")


def is_signed_with(secret: str, request: HttpRequest, service: str, now: datetime | None = None) -> bool:
    """Return whether the signature in a request's header or query is valid and made with `secret`."""
    found = _HEADER.fullmatch(request.headers.get("authorization", ""))
    if found is not None:
        date, valid = request.headers.get("x-amz-date", ""), WINDOW
        scope, names, signature = found["scope"], found["headers"], found["signature"]
        payload = request.headers.get("x-amz-content-sha256") or _sha256(request.body)
        if _DIGEST.fullmatch(payload) and payload != _sha256(request.body):
            return False
    else:
        date, expires = _parameter(request, "X-Amz-Date"), _parameter(request, "X-Amz-Expires")
        valid = timedelta(seconds=int(expires)) if expires.isdecimal() else WINDOW
        scope = _parameter(request, "X-Amz-Credential").partition("/")[2]
        names, signature = _parameter(request, "X-Amz-SignedHeaders"), _parameter(request, "X-Amz-Signature")
        payload = "UNSIGNED-PAYLOAD" if service == "s3" else _sha256(request.body)
    if not _is_current(date, valid, now) or "host" not in names.split(";"):
        return False
    canonical = _canonical_request(request, service, names, payload)
    return hmac.compare_digest(signature, _signature(secret, scope, date, canonical))


def is_git_password(secret: str, password: str, path: str, host: str, region: str) -> bool:
    """Return whether `aws codecommit credential-helper` made the password with `secret` for a repository.

    `path` is the repository's (`/v1/repos/NAME`); `host` has no port.
    """
    found = _GIT_PASSWORD.fullmatch(password)
    if found is None or not _is_current(f"{found['time']}Z", WINDOW, None):
        return False
    scope = f"{found['time'][:8]}/{region}/codecommit/aws4_request"
    canonical = f"GIT\n{path}\n\nhost:{host}\n\nhost\n".encode()
    return hmac.compare_digest(found["signature"], _signature(secret, scope, found["time"], canonical))


def _canonical_request(request: HttpRequest, service: str, names: str, payload: str) -> bytes:
    # S3 does not normalize a path, and every other service encodes it once more.
    path = request.raw_path or "/"
    canonical = path if service == "s3" else quote(normalize_url_path(path), safe="/~")
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names.split(";")
    )
    lines = [request.method, canonical, _canonical_query(request.query_string), headers, names, payload]
    return "\n".join(lines).encode("latin-1")


def _canonical_query(text: str) -> str:
    pairs = [part.partition("=") for part in text.split("&") if part]
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded if name != "X-Amz-Signature")


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _signature(secret: str, scope: str, date: str, canonical: bytes) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{_sha256(canonical)}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _is_current(date: str, valid: timedelta, now: datetime | None) -> bool:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return signed - WINDOW <= (now or datetime.now(UTC)) <= signed + valid


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _parameter(request: HttpRequest, name: str) -> str:
    return next(iter(request.query.get(name, [])), "")
