"""The server of one listener: its port, and every connection that it accepts."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from local_aws.services.elbv2.responses import error_page

logger = logging.getLogger("local_aws")

# Connections wait in the backlog until the event loop accepts them.
BACKLOG = 1024
# How long a TLS handshake may take while the server closes.
HANDSHAKE_SECONDS = 0.5
# A request in flight gets this long to end.
DRAIN_SECONDS = 3.0
# How long a client may take after that to read the rest and to answer the end of TLS.
CLOSE_SECONDS = 1.0
_ACCEPT_RETRY_SECONDS = 1.0
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def listen(port: int) -> socket.socket:
    """Listen on a port of 127.0.0.1, or on a free one when another program has that port."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setblocking(False)
    # Connections of an earlier process may still be in TIME_WAIT.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.bind(("127.0.0.1", 0))
    listening.listen(BACKLOG)
    return listening


class _Connection(web.RequestHandler):
    """A connection that answers what is not HTTP as ALB does: it is the client's mistake."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return 400 for a malformed request, and aiohttp's response to any other error."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        logger.info("400 for a malformed request from %s: %s", request.remote, exc.message)
        if request.writer.output_size > 0:
            raise ConnectionError("the response to a malformed request is sent already")
        response = error_page(400)
        response.force_close()
        return response


class _HttpServer(web.Server):
    """An HTTP server that records which of its connections are open."""

    def __init__(self, handler: Handler, **options: Any) -> None:
        super().__init__(handler, **options)
        self.transports: dict[web.RequestHandler, asyncio.Transport] = {}
        self.all_closed = asyncio.Event()
        self.all_closed.set()

    def __call__(self) -> web.RequestHandler:
        """Return the handler of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.transports[handler] = transport
        self.all_closed.clear()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self.transports.pop(handler, None)
        if not self.transports:
            self.all_closed.set()


class ListenerServer:
    """Accepts connections on a socket, and closes the socket and all of them in `close`.

    It accepts them itself because asyncio's server does not track a connection that is accepted but not
    ready (in its TLS handshake, for example), and aiohttp's runner does not wait until a client has answered
    the end of TLS. Both would stay open after the server.
    """

    def __init__(
        self, listening: socket.socket, handler: Handler, *, idle_timeout: float, tls: ssl.SSLContext | None
    ) -> None:
        self._listening = listening
        self._tls = tls
        self._server = _HttpServer(
            handler,
            keepalive_timeout=idle_timeout,
            auto_decompress=False,
            access_log=None,
            max_line_size=16384,
            max_field_size=16384,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=DRAIN_SECONDS)
        self._starting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Accept connections from now on."""
        await self._runner.setup()
        self._loop.add_reader(self._listening, self._accept)

    async def close(self) -> None:
        """Stop accepting; close every connection, one with a request in flight after its response."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        await self._finish_handshakes()
        await self._runner.cleanup()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._server.all_closed.wait()
        except TimeoutError:
            for transport in list(self._server.transports.values()):
                transport.abort()
            await self._server.all_closed.wait()

    async def _finish_handshakes(self) -> None:
        if not self._starting:
            return
        _, late = await asyncio.wait(self._starting, timeout=HANDSHAKE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _OUT_OF_RESOURCES:
                raise
            logger.warning("cannot accept a connection: %s", error)
            self._loop.remove_reader(self._listening)
            self._retry = self._loop.call_later(
                _ACCEPT_RETRY_SECONDS, self._loop.add_reader, self._listening, self._accept
            )
            return
        task = self._loop.create_task(self._begin(connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._server, connection, ssl=self._tls)
        except OSError as error:
            # The client closed the connection, or rejected the certificate.
            logger.debug("a connection ended in its handshake: %s", error)
