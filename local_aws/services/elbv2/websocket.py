"""WebSockets: the load balancer forwards the handshake, and then the bytes of both sides as they are.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from local_aws.services.elbv2.headers import UPGRADE


class _Activity:
    """When a connection was last used, and whether one of its sides has ended."""

    def __init__(self) -> None:
        self.last = time.monotonic()
        self.ended = asyncio.Event()

    async def wait(self, idle_timeout: float) -> None:
        """Wait until a side ends, or no byte has passed for `idle_timeout` seconds."""
        while not self.ended.is_set() and (left := self.last + idle_timeout - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.ended.wait()


class _Pipe:
    """Writes to `target` what aiohttp reads from the other side, in the place of its parser of messages."""

    def __init__(self, target: asyncio.WriteTransport, activity: _Activity) -> None:
        self.target = target
        self.activity = activity

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Pass bytes on: no error, nothing left."""
        self.activity.last = time.monotonic()
        self.target.write(data)
        return False, b""

    def feed_eof(self) -> None:
        """End both sides."""
        self.activity.ended.set()


async def carry(
    request: web.BaseRequest,
    answer: aiohttp.ClientResponse,
    response: web.StreamResponse,
    idle_timeout: float,
) -> web.StreamResponse:
    """Answer the handshake with `response`, and carry bytes until a side ends or the connection is idle."""
    connection = answer.connection
    if connection is None or connection.transport is None or connection.protocol is None:
        raise aiohttp.ClientConnectionError("the target ended the WebSocket at once")
    response.headers.update(UPGRADE)
    await response.prepare(request)
    await response.write_eof()
    client: Any = request.transport
    activity = _Activity()
    try:
        if client is not None:
            request.protocol.set_parser(_Pipe(connection.transport, activity))  # type: ignore[arg-type]
            connection.protocol.set_parser(_Pipe(client, activity), None)
            await activity.wait(idle_timeout)
    finally:
        connection.close()
        request.protocol.force_close()
    return response
