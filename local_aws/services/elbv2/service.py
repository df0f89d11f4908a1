"""Elastic Load Balancing's data plane: a loopback port for each listener, in front of healthy targets."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context
from local_aws.services.elbv2 import resource_types as elbv2_types
from local_aws.services.elbv2.headers import error, fixed_response, redirect
from local_aws.services.elbv2.health import check_forever
from local_aws.services.elbv2.metrics import NAMESPACE, Metrics
from local_aws.services.elbv2.proxy import Forwarder
from local_aws.services.elbv2.routing import (
    Asked,
    Listener,
    Snapshot,
    Target,
    WeightedChoice,
    choose_action,
    weights,
)
from local_aws.services.elbv2.targets import GroupState
from local_aws.services.elbv2.tls import Tls, server_context

logger = logging.getLogger("local_aws")

# Seconds of AWS's time: twice in each of the minutes that alarms look at.
PUBLISH_EVERY = 30
STOP_SECONDS = 3.0

# A listener's port as it is served: one that goes over to HTTPS, or to another certificate, gets a new one.
ListenerKey = tuple[str, Tls | None]


class LoadBalancing:
    """The data plane. MiniStack keeps the records; every change of them arrives as a `Snapshot`."""

    def __init__(self, context: Context, *, install: bool = True) -> None:
        self.context = context
        self.snapshot = Snapshot()
        self.metrics = Metrics()
        self.groups: dict[str, GroupState] = {}
        # Where a listener answered before local_aws ended: there it is looked for.
        self._ports: dict[str, int] = {}
        self._sockets: dict[ListenerKey, socket.socket] = {}
        self._runners: dict[ListenerKey, web.ServerRunner] = {}
        self._settling = asyncio.Lock()
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._choices: dict[str, WeightedChoice] = {}
        self._aside: set[asyncio.Task[None]] = set()
        self._forwarder = Forwarder(self.metrics)
        self.lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession
        if install:
            # MiniStack reads its environment when it is imported: not before the server set it.
            from local_aws.ministack import elbv2

            elbv2.patch_elbv2(self.apply, self.describe_health)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return CloudFormation's types."""
        return elbv2_types.resource_types(self.context)

    def addresses(self) -> dict[str, str]:
        """Return where each listener really is: `<dns name>:<port>` to `127.0.0.1:<port>`."""
        with self.lock:
            return {
                f"{listener.dns_name}:{listener.port}": f"127.0.0.1:{self._sockets[door].getsockname()[1]}"
                for door, listener in _doors(self.snapshot).items()
                if door in self._sockets
            }

    def keep(self) -> Mapping[str, Any]:
        """Return the listeners' ports; their records are MiniStack's."""
        return {"ports": {arn: opened.getsockname()[1] for (arn, _), opened in list(self._sockets.items())}}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Open the listeners' ports again, once MiniStack has its records."""
        from local_aws.ministack import elbv2_snapshot

        self._ports = dict(kept["ports"])
        self.apply(elbv2_snapshot.current())

    def shared(self) -> Mapping[str, Any]:
        """Share nothing."""
        return {}

    def start(self) -> None:
        """Start serving on a thread of its own."""
        ready = threading.Event()
        self._thread = self.context.spawn("elbv2", self._run, ready)
        ready.wait()
        self.context.spawn("elbv2-metrics", self._publish)

    def stop(self) -> None:
        """Close every port and connection."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def apply(self, snapshot: Snapshot) -> None:
        """Take the new state: in force for the next request when this returns, ports included."""
        with self.lock:
            for arn, group in snapshot.target_groups.items():
                self.groups.setdefault(arn, GroupState(group, self.context.clock)).update(group)
            for arn in [arn for arn in self.groups if arn not in snapshot.target_groups]:
                del self.groups[arn]
            for door in _doors(snapshot):
                if door not in self._sockets:
                    self._sockets[door] = _listen(self._ports.pop(door[0], 0))
            # Last: the loop may be settling an earlier change, and opens each door that it sees.
            self.snapshot = snapshot
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: self._run_aside(self._settle()))

    def describe_health(self, target_group: str, asked: list[Target]) -> list[dict[str, Any]]:
        """Return DescribeTargetHealth's descriptions of `asked` (all, when empty)."""
        return self.groups[target_group].describe(asked)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._forwarder.start()
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        try:
            await self._settle()
            ready.set()
            while not self._stopped.is_set():
                await asyncio.sleep(0.1)
        finally:
            self._loop = None
            await self._close()

    async def _settle(self) -> None:
        """Bring ports and health checks in line with the snapshot, one change after the other."""
        async with self._settling:
            await self._settle_now(self.snapshot)

    async def _settle_now(self, snapshot: Snapshot) -> None:
        doors = _doors(snapshot)
        for door, listener in doors.items():
            if door not in self._runners:
                await self._open(door, listener)
        for door in [door for door in self._runners if door not in doors]:
            # A request in flight ends first; nobody waits for it here.
            self._run_aside(self._runners.pop(door).cleanup())
            # The cleanup closes it.
            self._sockets.pop(door)
        for arn in [arn for arn in self._choices if arn not in snapshot.listeners]:
            del self._choices[arn]
        for arn, state in list(self.groups.items()):
            if arn not in self._checks:
                checking = check_forever(self._session, state, self.context.clock)
                self._checks[arn] = asyncio.create_task(checking)
                self._checks[arn].add_done_callback(self._note_fault)
        for arn in [arn for arn in self._checks if arn not in self.groups]:
            self._checks.pop(arn).cancel()

    async def _open(self, door: ListenerKey, listener: Listener) -> None:
        server = web.Server(
            self._handler(listener.arn),
            keepalive_timeout=listener.idle_timeout,
            auto_decompress=False,
            access_log=None,
            max_line_size=16384,
            max_field_size=16384,
        )
        runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
        self._runners[door] = runner
        await runner.setup()
        secure = server_context(listener.tls) if listener.tls else None
        await web.SockSite(runner, self._sockets[door], backlog=1024, ssl_context=secure).start()

    def _handler(self, arn: str) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            listener = self.snapshot.listeners.get(arn)
            if listener is None:
                return error(503)
            response = await self._answer(request, listener)
            if response.headers.get("Server") == "awselb/2.0" and response.status >= 400:
                self.metrics.refused(listener.load_balancer, response.status)
            return response

        return handle

    async def _answer(self, request: web.BaseRequest, listener: Listener) -> web.StreamResponse:
        if "upgrade" in request.headers.get("Connection", "").lower():
            return error(501, "Not Implemented: local_aws carries no WebSocket")
        asked = Asked(request.method, request.host, request.path, request.headers)
        action = choose_action(listener, asked)
        if action["Type"] == "fixed-response":
            return fixed_response(action["FixedResponseConfig"])
        if action["Type"] == "redirect":
            return redirect(action["RedirectConfig"], request, listener)
        choice = self._choices.setdefault(listener.arn, WeightedChoice())
        chosen = choice.choose(weights(action))
        group = self.groups.get(chosen) if chosen else None
        return error(503) if group is None else await self._forwarder.forward(request, listener, group)

    async def _close(self) -> None:
        for task in self._checks.values():
            task.cancel()
        # What was put aside cleans up after listeners that went: cut off, it would leave connections open.
        await asyncio.gather(*(runner.cleanup() for runner in self._runners.values()), *self._aside)
        await self._session.close()
        await self._forwarder.stop()
        for opened in self._sockets.values():
            opened.close()

    def _run_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        task.add_done_callback(self._note_fault)

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error("the data plane failed", exc_info=task.exception())
            self.context.faults.append(f"elbv2: {task.exception()!r}")

    def _publish(self) -> None:
        while not self.context.clock.wait(PUBLISH_EVERY, self._stopped):
            for account, data in self.metrics.take(list(self.groups.values())).items():
                cloudwatch = self.context.client_of(account, "cloudwatch")
                cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _doors(snapshot: Snapshot) -> dict[ListenerKey, Listener]:
    return {(arn, listener.tls): listener for arn, listener in snapshot.listeners.items()}


def _listen(port: int) -> socket.socket:
    """Listen on a port, or on a free one if it is another program's by now."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of before may still be in their last wait.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    # Connections wait in the backlog until the loop takes the port over.
    listener.listen(1024)
    return listener
