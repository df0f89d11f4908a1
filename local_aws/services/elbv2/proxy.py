"""Forwards requests to targets: streams the bodies, and answers with ALB's errors when a target fails."""

import asyncio
import logging
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from local_aws.services.elbv2.headers import RESPONSE_HEADERS, end_to_end, is_websocket, size, to_target
from local_aws.services.elbv2.metrics import Metrics
from local_aws.services.elbv2.records import Listener
from local_aws.services.elbv2.responses import StreamedTargetResponse, TargetResponse, error_page
from local_aws.services.elbv2.source_address import open_socket
from local_aws.services.elbv2.targets import GroupState, TargetState
from local_aws.services.elbv2.websocket import carry

logger = logging.getLogger("local_aws")

# ALB waits 10 seconds for a target to accept a connection, then answers 504.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
CONNECT_SECONDS = 10
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ConnectionBrokenError(aiohttp.ClientError):
    """A target closed the connection before it answered."""


async def _raise_broken_connection(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise an error of our own for a broken connection: aiohttp repeats the request after its own error."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except aiohttp.ClientConnectionError as broken:
        raise ConnectionBrokenError(str(broken)) from broken


class Forwarder:
    """The connections to the targets. `start` and `stop` run on the event loop that forwards."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._reused: aiohttp.ClientSession
        self._single: aiohttp.ClientSession

    def start(self) -> None:
        """Open two pools: connections that are reused, and connections for one request each."""
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_record_reuse)
        self._reused = _session([trace], keepalive_timeout=60)
        self._single = _session([], force_close=True)

    async def stop(self) -> None:
        """Close every connection."""
        await self._reused.close()
        await self._single.close()

    async def forward(
        self, request: web.BaseRequest, listener: Listener, group: GroupState
    ) -> web.StreamResponse:
        """Forward `request` to the next target of `group`. Answer 503 without one, 502 or 504 if it fails."""
        target = group.choose()
        if target is None:
            return error_page(503)
        self.metrics.count_request(listener.load_balancer, group.group.arn)
        target.in_flight += 1
        started = time.monotonic()
        try:
            answer = await self._request(request, listener, target)
            self.metrics.count_response(listener.load_balancer, group.group.arn, answer.status, started)
            if request.transport is None:
                # The client has gone: nobody reads this, and it is counted.
                answer.close()
                return error_page(460)
            return await _relay(request, answer, listener.idle_timeout)
        except TimeoutError as problem:
            return _failed(504, request, target, problem)
        except aiohttp.ClientError as problem:
            return _failed(502, request, target, problem)
        finally:
            target.in_flight -= 1

    async def _request(
        self, request: web.BaseRequest, listener: Listener, target: TargetState
    ) -> aiohttp.ClientResponse:
        headers = to_target(request, listener)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        url = URL(f"http://{target.target.id}:{target.target.port}{request.raw_path}", encoded=True)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=listener.idle_timeout
        )
        # A target may close a reused connection at the moment of a request. Then it is unknown whether the
        # request was handled, so only a request that may be repeated is sent on one.
        if request.method in IDEMPOTENT_METHODS and not request.body_exists:
            trace = SimpleNamespace(reused=False)
            try:
                return await self._send(self._reused, request, url, headers, timeout, trace)
            except ConnectionBrokenError:
                if not trace.reused:
                    raise
        return await self._send(self._single, request, url, headers, timeout, None)

    async def _send(
        self,
        session: aiohttp.ClientSession,
        request: web.BaseRequest,
        url: URL,
        headers: CIMultiDict[str],
        timeout: aiohttp.ClientTimeout,
        trace: SimpleNamespace | None,
    ) -> aiohttp.ClientResponse:
        return await session.request(
            request.method,
            url,
            headers=headers,
            data=request.content if request.body_exists else None,
            timeout=timeout,
            allow_redirects=False,
            trace_request_ctx=trace,
        )


def _failed(status: int, request: web.BaseRequest, target: TargetState, problem: Exception) -> web.Response:
    """Answer with an error, and log the target and the reason, as ALB's access log does."""
    where = f"{target.target.id}:{target.target.port} ({target.state})"
    if request.transport is None:
        return error_page(460)
    logger.warning("%s for %s %s from %s: %r", status, request.method, request.path, where, problem)
    return error_page(status)


def _session(traces: list[aiohttp.TraceConfig], **connections: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, socket_factory=open_socket, **connections),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        trace_configs=traces,
        middlewares=(_raise_broken_connection,),
        max_line_size=16384,
        max_field_size=16384,
    )


async def _record_reuse(
    _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionReuseconnParams
) -> None:
    context.trace_request_ctx.reused = True


async def _relay(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, idle_timeout: float
) -> web.StreamResponse:
    """Send a target's response to the client."""
    headers = end_to_end(answer.headers)
    async with answer:
        if size(answer.raw_headers) > RESPONSE_HEADERS:
            raise aiohttp.ClientPayloadError("the headers are longer than 32 KB")
        if answer.status == 101 and not is_websocket(request):
            raise aiohttp.ClientPayloadError("the target changed the protocol, unasked")
        if answer.status == 101:
            response = StreamedTargetResponse(status=101, reason=answer.reason, headers=headers)
            return await carry(request, answer, response, idle_timeout)
        empty = request.method == "HEAD" or answer.status in (204, 304)
        # A body that is here already is sent with its headers, in one write. ALB buffers no response.
        if empty or answer.content.is_eof():
            body = None if empty else await answer.read()
            return TargetResponse(status=answer.status, reason=answer.reason, headers=headers, body=body)
        return await _stream(request, answer, headers)


async def _stream(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Stream a response; one that ends too early ends the client's connection, as ALB does."""
    response = StreamedTargetResponse(status=answer.status, reason=answer.reason, headers=headers)
    if answer.content_length is None and request.version >= aiohttp.HttpVersion11:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, TimeoutError, ConnectionError, asyncio.CancelledError):
        if request.transport is not None:
            request.transport.abort()
    return response
