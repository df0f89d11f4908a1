"""The responses that a load balancer sends by itself: error pages, fixed responses and redirects."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from local_aws.services.elbv2.records import Listener

SERVER = "awselb/2.0"
# The titles of ALB's error pages.
REASONS = {
    400: "Bad Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def error_page(status: int, reason: str = "") -> web.Response:
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
