"""What a load balancer does to headers: X-Forwarded-*, the trace id, hop-by-hop ones, its own answers."""

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict

from local_aws.services.elbv2.routing import Listener

SERVER = "awselb/2.0"
HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade", "expect"),
    }
)
# Words of ALB's own pages.
REASONS = {
    400: "Bad Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that go on to the other side."""
    dropped = HOP_BY_HOP
    connection = headers.get("Connection")
    if connection:
        dropped = dropped | {name.strip().lower() for name in connection.split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def to_target(request: web.BaseRequest, listener: Listener) -> CIMultiDict[str]:
    """Return the headers a target gets.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    headers = end_to_end(request.headers)
    _forwarded_for(headers, request.remote or "127.0.0.1", listener.attributes)
    headers["X-Forwarded-Proto"] = listener.protocol.lower()
    headers["X-Forwarded-Port"] = str(listener.port)
    headers["X-Amzn-Trace-Id"] = trace(headers.get("X-Amzn-Trace-Id", ""))
    return headers


def _forwarded_for(headers: CIMultiDict[str], client: str, attributes: Mapping[str, str]) -> None:
    mode = attributes.get("routing.http.xff_header_processing.mode", "append")
    before = headers.popall("X-Forwarded-For", [])
    if mode == "append":
        before.append(client)
    if mode != "remove" and before:
        headers["X-Forwarded-For"] = ", ".join(before)


def trace(given: str) -> str:
    """Return X-Amzn-Trace-Id: a new root, or our own part put before the caller's root."""
    identity = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    fields = [
        part.strip() for part in given.split(";") if part.strip() and not part.strip().startswith("Self=")
    ]
    if any(part.startswith("Root=") for part in fields):
        return ";".join([f"Self={identity}", *fields])
    return ";".join([f"Root={identity}", *fields])


def error(status: int, reason: str = "") -> web.Response:
    """Return the load balancer's own page for `status`."""
    title = f"{status} {reason or REASONS[status]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return web.Response(
        status=status, reason=REASONS[status], text=page, content_type="text/html", headers=_own()
    )


def fixed_response(config: Mapping[str, Any]) -> web.Response:
    """Answer a fixed-response action."""
    headers = {**_own(), "Content-Type": config.get("ContentType") or "text/plain"}
    body = str(config.get("MessageBody", "")).encode()
    return web.Response(status=int(config["StatusCode"]), body=body, headers=headers)


def redirect(config: Mapping[str, Any], request: web.BaseRequest, listener: Listener) -> web.Response:
    """Answer a redirect action, its `#{...}` filled in."""
    parts = urlsplit(request.raw_path)
    known = {
        "#{protocol}": listener.protocol,
        "#{host}": (request.headers.get("Host") or "").rpartition(":")[0] or request.host,
        "#{port}": str(listener.port),
        "#{path}": parts.path.lstrip("/"),
        "#{query}": parts.query,
    }

    def fill(key: str, default: str) -> str:
        value = str(config.get(key) or default)
        for name, actual in known.items():
            value = value.replace(name, actual)
        return value

    protocol, port, query = (
        fill("Protocol", "#{protocol}"),
        fill("Port", "#{port}"),
        fill("Query", "#{query}"),
    )
    # As ALB answers: the port is always there, the question mark only with a query.
    location = f"{protocol.lower()}://{fill('Host', '#{host}')}:{port}{fill('Path', '/#{path}')}"
    location += f"?{query}" if query else ""
    status = 301 if config["StatusCode"] == "HTTP_301" else 302
    return web.Response(status=status, headers={**_own(), "Location": location})


def _own() -> dict[str, str]:
    return {"Server": SERVER}
