"""The data plane: a server for each listener and health checks for each target group, on one event loop."""

import asyncio
import logging
import socket
import threading
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from local_aws.core.context import Context
from local_aws.services.elbv2.dispatcher import Dispatcher
from local_aws.services.elbv2.health import check_forever
from local_aws.services.elbv2.listener_server import Handler, ListenerServer, listen
from local_aws.services.elbv2.metrics import Metrics
from local_aws.services.elbv2.proxy import Forwarder
from local_aws.services.elbv2.records import ElbSnapshot, Listener, Tls
from local_aws.services.elbv2.responses import error_page
from local_aws.services.elbv2.source_address import open_socket
from local_aws.services.elbv2.targets import GroupState
from local_aws.services.elbv2.tls import server_context

logger = logging.getLogger("local_aws")

# What identifies a listener's server: a change to HTTPS, or of the certificate, needs another server.
ListenerKey = tuple[str, Tls | None]


class DataPlane:
    """Serves the listeners and target groups of the current snapshot.

    `apply` may run on any thread. The coroutines run on the loop that `serve` runs on.
    """

    def __init__(self, context: Context, metrics: Metrics) -> None:
        self.context = context
        self.snapshot = ElbSnapshot()
        self.groups: dict[str, GroupState] = {}
        self.lock = threading.RLock()
        # Guarded by the lock: a key has a socket as soon as it is in the snapshot.
        self._sockets: dict[ListenerKey, socket.socket] = {}
        self._servers: dict[ListenerKey, ListenerServer] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._forwarder = Forwarder(metrics)
        self._dispatcher = Dispatcher(self.groups, self._forwarder, metrics)
        self._reconciling = asyncio.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession

    def addresses(self) -> dict[str, int]:
        """Return the port of this machine on which each `<dns name>:<port>` is served."""
        with self.lock:
            return {
                f"{listener.dns_name}:{listener.port}": self._sockets[key].getsockname()[1]
                for key, listener in _by_key(self.snapshot).items()
                if key in self._sockets
            }

    def ports(self) -> dict[str, int]:
        """Return each listener's port of this machine by the listener's ARN."""
        with self.lock:
            return {arn: opened.getsockname()[1] for (arn, _), opened in self._sockets.items()}

    def apply(self, snapshot: ElbSnapshot, ports: Mapping[str, int] | None = None) -> None:
        """Replace the snapshot: it is in force for the next request when this returns, ports included.

        `ports` names the ports to listen on again, by the listeners' ARNs.
        """
        with self.lock:
            for arn, group in snapshot.target_groups.items():
                self.groups.setdefault(arn, GroupState(group, self.context.clock)).update(group)
            for arn in [arn for arn in self.groups if arn not in snapshot.target_groups]:
                del self.groups[arn]
            for key in _by_key(snapshot):
                if key not in self._sockets:
                    self._sockets[key] = listen((ports or {}).get(key[0], 0))
            self.snapshot = snapshot
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._start_reconciling)

    async def serve(self, ready: threading.Event, stopped: threading.Event) -> None:
        """Serve until `stopped`; set `ready` once every listener of the first snapshot is served."""
        self._forwarder.start()
        connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=open_socket)
        self._session = aiohttp.ClientSession(connector=connector)
        with self.lock:
            self._loop = asyncio.get_running_loop()
        try:
            await self.reconcile()
            ready.set()
            while not stopped.is_set():
                await asyncio.sleep(0.1)
        finally:
            with self.lock:
                self._loop = None
            await self._close()

    async def reconcile(self) -> None:
        """Bring servers and health checks in line with the snapshot, one change after the other."""
        async with self._reconciling:
            if self._closed:
                return
            with self.lock:
                snapshot = self.snapshot
                new = self._new_listeners()
                stale = self._remove_stale_sockets()
            self._close_servers(stale)
            for key, (listener, listening) in new.items():
                await self._open(key, listener, listening)
            self._dispatcher.keep_only(snapshot.listeners)
            self._reconcile_checks()

    def _new_listeners(self) -> dict[ListenerKey, tuple[Listener, socket.socket]]:
        current = _by_key(self.snapshot)
        return {
            key: (listener, self._sockets[key])
            for key, listener in current.items()
            if key not in self._servers
        }

    def _remove_stale_sockets(self) -> dict[ListenerKey, socket.socket]:
        current = _by_key(self.snapshot)
        return {key: self._sockets.pop(key) for key in list(self._sockets) if key not in current}

    async def _open(self, key: ListenerKey, listener: Listener, listening: socket.socket) -> None:
        self._servers[key] = ListenerServer(
            listening,
            self._handler(listener.arn),
            idle_timeout=listener.idle_timeout,
            tls=server_context(listener.tls) if listener.tls else None,
        )
        await self._servers[key].start()

    def _close_servers(self, stale: Mapping[ListenerKey, socket.socket]) -> None:
        for key, listening in stale.items():
            server = self._servers.pop(key, None)
            if server is None:
                # Its listener changed again before it was served.
                listening.close()
            else:
                # A request in flight ends first; the next change does not wait for it.
                self._run_in_background(server.close())

    def _reconcile_checks(self) -> None:
        for arn, state in list(self.groups.items()):
            if arn not in self._checks:
                self._checks[arn] = self._run_in_background(
                    check_forever(self._session, state, self.context.clock)
                )
        for arn in [arn for arn in self._checks if arn not in self.groups]:
            self._checks.pop(arn).cancel()

    def _handler(self, arn: str) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            listener = self.snapshot.listeners.get(arn)
            return error_page(503) if listener is None else await self._dispatcher.answer(request, listener)

        return handle

    async def _close(self) -> None:
        async with self._reconciling:
            self._closed = True
        with self.lock:
            self._close_servers(self._sockets)
            self._sockets.clear()
        for check in self._checks.values():
            check.cancel()
        if self._background:
            await asyncio.wait(self._background)
        await self._session.close()
        await self._forwarder.stop()

    def _start_reconciling(self) -> None:
        self._run_in_background(self.reconcile())

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._end_background)
        return task

    def _end_background(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("the load balancers' data plane failed", exc_info=task.exception())
            self.context.background_errors.append(f"elbv2: {task.exception()!r}")


def _by_key(snapshot: ElbSnapshot) -> dict[ListenerKey, Listener]:
    return {(arn, listener.tls): listener for arn, listener in snapshot.listeners.items()}
