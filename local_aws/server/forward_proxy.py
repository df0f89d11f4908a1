"""Stands for the resolver of a VPC: a load balancer's name and port lead to its listener on this machine."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from local_aws.services.elbv2.headers import end_to_end

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Longer than a load balancer waits for its targets.
SECONDS = 120.0


def is_for_a_proxy(scope: Scope) -> bool:
    """Say whether a request names another server in its first line, as a client does to its proxy."""
    return scope["type"] == "http" and (
        scope["method"] == "CONNECT" or not scope["raw_path"].startswith((b"/", b"*"))
    )


class ForwardProxy:
    """Passes requests on to load balancers' listeners (`{"<dns name>:<port>": "127.0.0.1:<port>"}`) only."""

    def __init__(self, addresses: Callable[[], Mapping[str, str]]) -> None:
        self.addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, over a connection of its own."""
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        headers = CIMultiDict((name.decode(), value.decode("latin-1")) for name, value in scope["headers"])
        url = URL() if scope["method"] == "CONNECT" else _parsed(target)
        listener = self.addresses().get(f"{url.host}:{url.port}") if url.scheme == "http" else None
        # A browser sends these; no page may look through a function's eyes.
        if listener is None or "Origin" in headers or "Sec-Fetch-Site" in headers:
            reason = f"local_aws passes requests on to its load balancers' listeners, and {target} is none"
            await _answer(send, 403, {}, json.dumps({"message": reason}).encode())
            return
        host, _, port = listener.partition(":")
        asked = url.with_host(host).with_port(int(port))
        await self._pass_on(scope["method"], asked, headers, await _body(receive), send)

    async def _pass_on(
        self, method: str, url: URL, headers: CIMultiDict[str], body: bytes, send: Send
    ) -> None:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session:
            try:
                async with session.request(
                    method, url, headers=_without_length(headers), data=body or None, allow_redirects=False
                ) as answer:
                    await _answer(send, answer.status, _without_length(answer.headers), await answer.read())
            except (aiohttp.ClientError, TimeoutError) as error:
                await _answer(send, 502, {}, json.dumps({"message": f"{url}: {error!r}"}).encode())


def _parsed(target: str) -> URL:
    """Return the address in a request's first line, an empty one if it is none."""
    try:
        url = URL(target, encoded=True)
        return url if url.port else URL()
    except ValueError:
        return URL()


def _without_length(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that go on; who sends the body counts it."""
    kept = end_to_end(headers)
    kept.popall("Content-Length", None)
    return kept


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    written = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    written.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": written})
    await send({"type": "http.response.body", "body": body})
