"""The headers of a forwarded request: X-Forwarded-*, the trace id, and no hop-by-hop headers."""

import re
import secrets
import time
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import RawHeaders
from multidict import CIMultiDict

from local_aws.services.elbv2.records import Listener

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade", "expect"),
    }
)
# The headers of a WebSocket's handshake.
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
# The sizes in bytes of all headers of a request and of a response, and the addresses in X-Forwarded-For.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
REQUEST_HEADERS, RESPONSE_HEADERS = 64 * 1024, 32 * 1024
MOST_ADDRESSES = 30
TRANSFER_ENCODINGS = frozenset({"chunked", "identity"})
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
_VALID_NAME = re.compile(r"[-A-Za-z0-9]+")


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that are forwarded: all but the hop-by-hop ones."""
    dropped = HOP_BY_HOP
    connection = headers.get("Connection")
    if connection:
        dropped = dropped | {name.strip().lower() for name in connection.split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def is_websocket(request: web.BaseRequest) -> bool:
    """Return whether a request begins a WebSocket; any other `Upgrade` has no effect, as with an ALB.

    https://github.com/lstoll/grpce/pull/19
    """
    asked = "upgrade" in request.headers.get("Connection", "").lower()
    return asked and request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


def size(raw: RawHeaders) -> int:
    """Return the size of headers as they were received."""
    return sum(len(name) + len(value) + 4 for name, value in raw)


def refused_with(request: web.BaseRequest) -> int | None:
    """Return the status with which a load balancer refuses a request by itself, whatever its rules are."""
    if request.method == "CONNECT" or not request.raw_path.startswith("/"):
        # A load balancer is no proxy: only the origin-form of a request has a meaning here.
        return 400
    if request.method == "TRACE":
        return 405
    if not TRANSFER_ENCODINGS.issuperset(map(str.lower, request.headers.getall("Transfer-Encoding", []))):
        return 501
    if size(request.raw_headers) > REQUEST_HEADERS:
        return 400
    addresses = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    return 463 if len(addresses) > MOST_ADDRESSES else None


def to_target(request: web.BaseRequest, listener: Listener) -> CIMultiDict[str]:
    """Return the headers of the request to a target.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    headers = end_to_end(request.headers)
    if listener.attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true":
        for name in [name for name in headers if not _VALID_NAME.fullmatch(name)]:
            headers.popall(name, None)
    _forwarded_for(headers, request.remote or "127.0.0.1", listener.attributes)
    headers["X-Forwarded-Proto"] = listener.protocol.lower()
    headers["X-Forwarded-Port"] = str(listener.port)
    headers["X-Amzn-Trace-Id"] = trace(headers.get("X-Amzn-Trace-Id", ""))
    if is_websocket(request):
        headers.update(UPGRADE)
    return headers


def _forwarded_for(headers: CIMultiDict[str], client: str, attributes: Mapping[str, str]) -> None:
    mode = attributes.get("routing.http.xff_header_processing.mode", "append")
    before = headers.popall("X-Forwarded-For", [])
    if mode == "append":
        before.append(client)
    if mode != "remove" and before:
        headers["X-Forwarded-For"] = ", ".join(before)


def trace(given: str) -> str:
    """Return X-Amzn-Trace-Id: a new root, or the caller's root with a `Self` part before it."""
    identity = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    fields = [
        part.strip() for part in given.split(";") if part.strip() and not part.strip().startswith("Self=")
    ]
    if any(part.startswith("Root=") for part in fields):
        return ";".join([f"Self={identity}", *fields])
    return ";".join([f"Root={identity}", *fields])
