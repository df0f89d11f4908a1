"""A forward proxy in place of a VPC's DNS resolver: it maps load balancers' names to loopback ports."""

from collections.abc import Callable, Mapping

import aiohttp
from multidict import CIMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from yarl import URL

from local_aws.services.elbv2.headers import end_to_end

# Longer than a load balancer waits for its targets.
TIMEOUT_SECONDS = 120.0


def is_proxy_request(scope: Scope) -> bool:
    """Return whether a request line names another server, as a client sends it to its proxy."""
    return scope["type"] == "http" and (
        scope["method"] == "CONNECT" or not scope["raw_path"].startswith((b"/", b"*"))
    )


class ForwardProxy:
    """Forwards requests only to load balancers' listeners (`{"<dns name>:<port>": "127.0.0.1:<port>"}`)."""

    def __init__(self, addresses: Callable[[], Mapping[str, str]]) -> None:
        self.addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request, over its own connection."""
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        headers = CIMultiDict((name.decode(), value.decode("latin-1")) for name, value in scope["headers"])
        url = URL() if scope["method"] == "CONNECT" else _parse(target)
        listener = self.addresses().get(f"{url.host}:{url.port}") if url.scheme == "http" else None
        # A browser sends these headers; a web page must not reach what a function can reach.
        if listener is None or "Origin" in headers or "Sec-Fetch-Site" in headers:
            reason = f"local_aws forwards requests only to its load balancers' listeners, not to {target}"
            response: Response = JSONResponse({"message": reason}, 403)
        else:
            host, _, port = listener.partition(":")
            try:
                body = await Request(scope, receive).body()
            except ClientDisconnect:
                return
            url = url.with_host(host).with_port(int(port))
            response = await _forward(scope["method"], url, headers, body)
        await response(scope, receive, send)


async def _forward(method: str, url: URL, headers: CIMultiDict[str], body: bytes) -> Response:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session:
        try:
            async with session.request(
                method, url, headers=_without_length(headers), data=body or None, allow_redirects=False
            ) as received:
                response = Response(await received.read(), received.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return JSONResponse({"message": f"{url}: {error!r}"}, 502)
    for name, value in _without_length(received.headers).items():
        response.headers.append(name, value)
    return response


def _parse(target: str) -> URL:
    """Return the URL of a request line, or an empty one."""
    try:
        url = URL(target, encoded=True)
        return url if url.port else URL()
    except ValueError:
        return URL()


def _without_length(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the end-to-end headers; the sender of the body sets its length."""
    kept = end_to_end(headers)
    kept.popall("Content-Length", None)
    return kept
