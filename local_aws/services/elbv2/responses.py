"""The responses that a load balancer sends by itself: error pages, fixed responses and redirects."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict

from local_aws.services.elbv2.records import Listener

SERVER = "awselb/2.0"
# The titles of ALB's error pages.
REASONS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


class Unchanged:
    """A response to which aiohttp adds no headers in the name of a target that did not send them."""

    headers: CIMultiDict[str]

    async def _prepare_headers(self) -> None:
        given = {*self.headers}
        await super()._prepare_headers()  # type: ignore[misc]
        for name in ("Content-Type", "Server"):
            if name not in given:
                self.headers.pop(name, None)


class TargetResponse(Unchanged, web.Response):
    """A target's response whose body was read."""


class StreamedTargetResponse(Unchanged, web.StreamResponse):
    """A target's response whose body is sent while it is read."""


def error_page(status: int) -> web.Response:
    """Return the load balancer's own page for `status`; ALB's own statuses, as 460, have no title."""
    reason = REASONS.get(status, "")
    title = f"{status} {reason}".rstrip()
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    headers = {**_own(), "Content-Type": "text/html"}
    return web.Response(status=status, reason=reason, body=page.encode(), headers=headers)


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
