"""The door in front of MiniStack: only programs of this machine pass, and our own paths are answered here."""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from local_aws.core.api import Response
from local_aws.core.context import Context
from local_aws.iam.request_parser import HttpRequest
from local_aws.server.forward_proxy import ForwardProxy, is_for_a_proxy

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

GIT_PREFIX = "/v1/repos/"


class Enforces(Protocol):
    """What the gateway needs of IAM."""

    def is_free(self, request: HttpRequest) -> bool: ...

    def check(self, request: HttpRequest) -> Response | None: ...

    def report(self) -> dict[str, Any]: ...


class Gateway:
    """The ASGI application on the server's port.

    `git` answers the paths of CodeCommit's repositories, `addresses` the listeners' real ones
    (`{"<dns name>:<port>": "127.0.0.1:<port>"}`), a client's proxy request goes to one of these; all else
    is `ministack`'s.
    """

    def __init__(
        self,
        context: Context,
        ministack: Asgi,
        *,
        git: Asgi | None = None,
        addresses: Callable[[], Mapping[str, str]] = dict,
        enforcer: Enforces | None = None,
    ) -> None:
        self.context = context
        self.ministack = ministack
        self.git = git
        self.addresses = addresses
        self.proxy = ForwardProxy(addresses)
        self.enforcer = enforcer
        # Threads of its own: a check may call a service, which needs a thread of asyncio's to answer.
        self.checking = ThreadPoolExecutor(8, "iam")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self.ministack(scope, receive, send)
            return
        if is_for_a_proxy(scope):
            await self.proxy(scope, receive, send)
            return
        refusal = refuse(scope)
        if refusal is not None:
            await _refuse(scope, send, refusal)
            return
        path = scope["path"]
        if path.startswith("/_local_aws/"):
            await self._answer_own(path, send)
        elif path.startswith(GIT_PREFIX) and self.git is not None:
            await self.git(scope, receive, send)
        elif self.enforcer is None or scope["type"] != "http" or self.enforcer.is_free(_head(scope)):
            await self.ministack(scope, receive, send)
        else:
            await self._checked(self.enforcer, scope, receive, send)

    async def _checked(self, enforcer: "Enforces", scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a role or a user, if IAM lets it."""
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = replace(_head(scope), body=body)
        refused = await asyncio.get_running_loop().run_in_executor(self.checking, enforcer.check, request)
        if refused is not None:
            await _answer(send, *refused)
            return
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> dict[str, Any]:
            return given.pop() if given else await receive()

        await self.ministack(scope, again, send)

    async def _answer_own(self, path: str, send: Send) -> None:
        if path == "/_local_aws/faults":
            await _json(send, 200, {"instance": self.context.instance, "faults": list(self.context.faults)})
        elif path == "/_local_aws/listeners":
            await _json(send, 200, dict(self.addresses()))
        elif path == "/_local_aws/iam" and self.enforcer is not None:
            await _json(send, 200, await asyncio.to_thread(self.enforcer.report))
        else:
            await _json(send, 404, {"message": f"local_aws has no {path}"})


def refuse(scope: Scope) -> str | None:
    """Say why a request may not pass, or None: a page in a browser must not drive this account.

    The Host has to be of this machine (DNS rebinding), the Origin our own, and the browser's own word on
    where a request comes from (Sec-Fetch-Site) not another site.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if not is_local(host):
        return f"Host {host!r} is not of this machine: use 127.0.0.1, localhost or a name under .localhost"
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"Origin {origin!r} is another site"
    if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
        return "the request comes from a page of another site"
    return None


def is_local(host: str) -> bool:
    """Say whether a Host header names this machine: loopback, `localhost` or `*.localhost`."""
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _json(send, 403, {"__type": "AccessDeniedException", "message": reason})


async def _json(send: Send, status: int, content: object) -> None:
    await _answer(send, status, {"content-type": "application/json"}, json.dumps(content).encode())


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    given = {**headers, "content-length": str(len(body))}
    listed = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _head(scope: Scope) -> HttpRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return HttpRequest(scope.get("method", "GET"), scope["path"], query, headers)
