"""The ASGI application in front of MiniStack: it admits programs of this machine, and authorizes them."""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from local_aws.core.api import CALLER, Response
from local_aws.core.context import Context
from local_aws.core.quotas import change_quota
from local_aws.iam.error_responses import Denial, response
from local_aws.iam.request_parser import HttpRequest, credential
from local_aws.server.background_errors import counted
from local_aws.server.forward_proxy import ForwardProxy, is_proxy_request
from local_aws.services.ecs.metadata import PREFIX as TASK_METADATA

GIT_PREFIX = "/v1/repos/"
# Own paths that change something, or tell what the account has.
SECRET_PATHS = (
    *("/_local_aws/iam", "/_local_aws/skip-days", "/_local_aws/image-scan-findings"),
    "/_local_aws/quotas",
)
LONGEST_SKIP = 366
# A body is kept in memory, to verify its signature.
LARGEST_BODY = 256 * 1024 * 1024
# Services of all regions: a client with an endpoint signs their calls for the region that it is set to.
# https://docs.aws.amazon.com/general/latest/gr/rande.html#global-endpoints
GLOBAL_SERVICES = frozenset({"iam", "sts", "route53", "cloudfront", "organizations"})
TOO_LARGE = "local_aws accepts bodies of at most 256 MiB: upload an object in parts"


class Authorizer(Protocol):
    """What the gateway needs of IAM."""

    def is_free(self, request: HttpRequest) -> bool: ...

    def check(self, request: HttpRequest) -> Response | None: ...

    def report(self) -> dict[str, Any]: ...


class Gateway:
    """The ASGI application on the server's port.

    It routes the paths of CodeCommit's repositories to `git`, a client's proxy requests to the listeners'
    loopback `addresses` (`{"<dns name>:<port>": "127.0.0.1:<port>"}`), and everything else to `ministack`.
    """

    def __init__(
        self,
        context: Context,
        ministack: ASGIApp,
        *,
        git: ASGIApp | None = None,
        addresses: Callable[[], Mapping[str, str]] = dict,
        authorizer: Authorizer | None = None,
        skip_days: Callable[[int], None] | None = None,
        plant_findings: Callable[[object], int] | None = None,
        passed_through: Callable[[], list[str]] = list,
        task_metadata: Callable[[str], Mapping[str, Any] | None] = lambda _path: None,
    ) -> None:
        self.context = context
        self.ministack = ministack
        self.git = git
        self.addresses = addresses
        self.proxy = ForwardProxy(addresses)
        self.authorizer = authorizer
        self.skip_days = skip_days
        self.plant_findings = plant_findings
        self.passed_through = passed_through
        self.task_metadata = task_metadata
        # Its own threads: a check may call a service, which needs one of asyncio's threads to respond.
        self.threads = ThreadPoolExecutor(8, "iam")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            app = self.ministack
        elif is_proxy_request(scope):
            app = self.proxy
        elif (reason := rejection_reason(scope)) is not None:
            app = _rejection(scope, reason)
        else:
            app = self._route(scope)
        await app(scope, receive, send)

    def _route(self, scope: Scope) -> ASGIApp:
        path = scope["path"]
        if path.startswith("/_local_aws/"):
            return self._respond
        if path.startswith(GIT_PREFIX) and self.git is not None:
            return self.git
        if scope["type"] != "http":
            return self.ministack
        request = _request(scope)
        refusal = other_region(request, self.context.region)
        if refusal is not None:
            status, headers, content = refusal
            return HttpResponse(content, status, headers)
        if self.authorizer is None or self.authorizer.is_free(request):
            return self.ministack
        return self._authorize

    async def _authorize(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request of a role or a user to MiniStack if IAM allows it."""
        if self.authorizer is None:
            raise RuntimeError("no request needs authorization without an authorizer")
        try:
            body = await _read_body(Request(scope, receive))
        except ClientDisconnect:
            return
        if body is None:
            too_large = {"__type": "RequestEntityTooLargeException", "message": TOO_LARGE}
            await JSONResponse(too_large, 413, {"Connection": "close"})(scope, receive, send)
            return
        request = _request(scope, body)
        denial = await asyncio.get_running_loop().run_in_executor(
            self.threads, self.authorizer.check, request
        )
        if denial is not None:
            status, headers, content = denial
            await HttpResponse(content, status, headers)(scope, receive, send)
            return
        if (signed := credential(request)) is not None:
            CALLER.set(signed.access_key)
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_body() -> Message:
            return unread.pop() if unread else await receive()

        await self.ministack(scope, receive_body, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request for one of local_aws's own paths."""
        path, context = scope["path"], self.context
        content: Mapping[str, Any]
        status = 200
        if path == "/_local_aws/background-errors":
            content = {"instance": context.instance, "errors": counted(context.background_errors)}
        elif path == "/_local_aws/listeners":
            content = dict(self.addresses())
        elif path == "/_local_aws/passed-through":
            content = {"operations": self.passed_through()}
        elif path.startswith(TASK_METADATA):
            found = await asyncio.to_thread(self.task_metadata, path.removeprefix(TASK_METADATA))
            status, content = (200, found) if found is not None else (404, {})
        elif path in SECRET_PATHS and not self._is_owner(scope):
            status, content = 403, {"message": f"{path} needs the header Authorization: Bearer SECRET"}
        else:
            status, content = await self._respond_to_owner(scope, receive)
        await JSONResponse(content, status)(scope, receive, send)

    async def _respond_to_owner(self, scope: Scope, receive: Receive) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the content of a path that only the owner may call."""
        path = scope["path"]
        if path == "/_local_aws/iam" and self.authorizer is not None:
            return 200, await asyncio.to_thread(self.authorizer.report)
        if path == "/_local_aws/skip-days" and self.skip_days is not None:
            return await self._skip_days(scope)
        if path == "/_local_aws/image-scan-findings" and self.plant_findings is not None:
            return await self._plant_findings(scope, receive)
        if path == "/_local_aws/quotas":
            return _change_quota(scope)
        return 404, {"message": f"local_aws has no {path}"}

    def _is_owner(self, scope: Scope) -> bool:
        given = _request(scope).headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.context.secret}".encode())

    async def _skip_days(self, scope: Scope) -> tuple[int, Mapping[str, Any]]:
        """Let up to a year pass (POST /_local_aws/skip-days?days=30)."""
        days = _request(scope).query.get("days", [""])[0]
        if self.skip_days is None or scope["method"] != "POST":
            return 405, {"message": "skip-days takes POST"}
        if not days.isdecimal() or not 1 <= int(days) <= LONGEST_SKIP:
            return 400, {"message": f"days is {days!r}: it must be a number from 1 to {LONGEST_SKIP}"}
        await asyncio.to_thread(self.skip_days, int(days))
        return 200, {"skippedDays": int(days)}

    async def _plant_findings(self, scope: Scope, receive: Receive) -> tuple[int, Mapping[str, Any]]:
        """Set what image scans report (POST /_local_aws/image-scan-findings, a list of findings as JSON)."""
        if self.plant_findings is None or scope["method"] != "POST":
            return 405, {"message": "image-scan-findings takes POST"}
        try:
            return 200, {"findings": self.plant_findings(await Request(scope, receive).json())}
        except ValueError as error:
            return 400, {"message": str(error)}


def _change_quota(scope: Scope) -> tuple[int, Mapping[str, Any]]:
    """Change a quota (POST /_local_aws/quotas?service=iam&operation=CreateRole&most=3)."""
    if scope["method"] != "POST":
        return 405, {"message": "quotas takes POST"}
    query = _request(scope).query
    service, operation, most = (query.get(name, [""])[0] for name in ("service", "operation", "most"))
    try:
        return 200, {"most": change_quota(service, operation, most)}
    except ValueError as error:
        return 400, {"message": str(error)}


async def _read_body(request: Request) -> bytes | None:
    """Return a request's body, or None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def rejection_reason(scope: Scope) -> str | None:
    """Say why a request is rejected, or return None: a page in a browser must not control this account.

    The Host must be this machine (DNS rebinding), the Origin must be our own, and the browser must not report
    that the request comes from another site (Sec-Fetch-Site).
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if not is_local(host):
        return f"Host {host!r} is not of this machine: use 127.0.0.1, localhost or a name under .localhost"
    origin = headers.get(b"origin")
    if origin is not None and origin.partition("://")[2] != host:
        return f"Origin {origin!r} is another site"
    if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
        return "the request comes from a page of another site"
    return None


def is_local(host: str) -> bool:
    """Return whether a Host header names this machine: loopback, `localhost` or `*.localhost`."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    # Half an IPv6 address.
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def other_region(request: HttpRequest, region: str) -> Response | None:
    """Return the refusal of a call that is signed for another region than `region`, or None.

    Without it, another region would have this one's resources. ListBuckets lists the buckets of all regions:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    signed = credential(request)
    if signed is None or signed.region == region or signed.service in GLOBAL_SERVICES:
        return None
    in_bucket = request.path != "/" or ".localhost" in request.headers.get("host", "")
    if signed.service == "s3" and request.method == "GET" and not in_bucket:
        return None
    message = f"local_aws has the region {region} only: the call is signed for {signed.region}"
    return response(Denial(message, "UnsupportedOperation", 501), request, signed.service)


def _rejection(scope: Scope, reason: str) -> ASGIApp:
    if scope["type"] == "websocket":
        return WebSocketClose(code=1008)
    return JSONResponse({"__type": "AccessDeniedException", "message": reason}, 403)


def _request(scope: Scope, body: bytes = b"") -> HttpRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    raw = (scope.get("raw_path", b""), scope.get("query_string", b""))
    sent = (one.decode("latin-1") for one in raw)
    return HttpRequest(scope.get("method", "GET"), scope["path"], query, headers, body, *sent)
