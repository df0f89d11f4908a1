"""The server's process: MiniStack's gateway with our services behind it, on one loopback port."""

import asyncio
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.containers.docker import cleanup
from local_aws.core import owner_secret, state_folder
from local_aws.core.clock import DEFAULT_TIME_SCALE, Clock
from local_aws.core.context import ACCOUNT, Context
from local_aws.core.errors import LocalAwsError
from local_aws.daemon import ENDPOINT_FILE, LOG_FILE, PortTakenError, ServerHandle, StateLock
from local_aws.host import reaper
from local_aws.host.sandbox import Sandbox
from local_aws.persistence import snapshots
from local_aws.persistence.snapshots import Snapshot
from local_aws.server import environment, isolation
from local_aws.server.background_errors import watch_log

if TYPE_CHECKING:
    # It imports MiniStack, which reads its environment at import.
    from local_aws.server.application import Services

# After this many seconds of stopping, the process exits whatever still runs; the reaper kills its children.
STOP_SECONDS = 15.0


def serve(
    state: Path,
    port: int = 0,
    time_scale: float | None = None,
    *,
    node_modules: Path | None = None,
    with_parent: bool = False,
    ready: Callable[[ServerHandle], None] = lambda _server: None,
) -> None:
    """Serve until SIGTERM or SIGINT (or, `with_parent`, until standard input closes).

    Resumes from the snapshot of an earlier server in `state`, on its port and with its time scale.
    Writes `state/endpoint.json` when it responds to requests, and then calls `ready`; its log goes to
    `state/local_aws.log`.
    Raises `PortTakenError`; `AlreadyRunningError` when another server holds `state`; `NoEngineError` when
    LOCAL_AWS_CONTAINERS names an engine that does not work; and `LocalAwsError` when the snapshot cannot be
    read or has another port, or `node_modules` has no AWS SDK.
    """
    if state.exists():
        state_folder.prepare(state)
    snapshot = snapshots.read(state)
    if snapshot is not None:
        # A server that runs with it has its port too; its state folder is the better message.
        with StateLock(state):
            pass
    with _listen(_port(state, port, snapshot)) as listener, StateLock(state):
        instance = uuid.uuid4().hex
        environment.configure(listener.getsockname()[1], instance, node_modules)
        work = state / "work"
        environment.use_temporary_folder(work / "tmp")
        reaping = reaper.start(instance, cleanup.cleanup_command(work / "containers"), cleanup.SECONDS)
        sandbox = isolation.start_sandbox(state, work, node_modules)
        environment.log_to(state / LOG_FILE)
        try:
            _serve(state, listener, instance, time_scale, snapshot, sandbox, with_parent, ready)
        finally:
            (state / ENDPOINT_FILE).unlink(missing_ok=True)
            sandbox.close()
            reaping.finish()


def _port(state: Path, port: int, snapshot: Snapshot | None) -> int:
    if snapshot is None or port in (0, snapshot.port):
        return port if snapshot is None else snapshot.port
    # The addresses in a snapshot (queues, clones, templates) contain it.
    raise LocalAwsError(
        f"the snapshot in {state} was made on port {snapshot.port}: start on that port, remove {state}, "
        "or choose another --state"
    )


def _serve(
    state: Path,
    listener: socket.socket,
    instance: str,
    time_scale: float | None,
    snapshot: Snapshot | None,
    sandbox: Sandbox,
    with_parent: bool,
    ready: Callable[[ServerHandle], None],
) -> None:
    # Imported only now: MiniStack reads its environment at import.
    from local_aws import ministack
    from local_aws.containers import selection
    from local_aws.server import application

    ministack.check_version()
    clock = Clock(time_scale or (snapshot.time_scale if snapshot else DEFAULT_TIME_SCALE))
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    context = Context(state, endpoint, clock, instance, partial(ministack.emit_event, ACCOUNT))
    context.secret = owner_secret.create(state)
    context.sandboxed, context.isolation = sandbox.command, isolation.describe(sandbox)
    watch_log(context)
    services = application.build_application(context, selection.select_engine(context))
    if snapshot is not None:
        services.restore(snapshot.contents)
    start = partial(services.start, resume=snapshot is not None)
    asyncio.run(_run(listener, services, start, with_parent, ready))


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortTakenError(port) from error
    return listener


async def _run(
    listener: socket.socket,
    services: "Services",
    start: Callable[[], None],
    with_parent: bool,
    ready: Callable[[ServerHandle], None],
) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    # hypercorn closes it when it stops.
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    keep_ignoring(loop)
    if with_parent:
        _stop_with_parent(loop, stopped)

    async def trigger() -> None:
        ready(await _start(services, start))
        await stopped.wait()
        _exit_after(STOP_SECONDS)
        # While the port still responds: services call each other as they stop.
        await asyncio.to_thread(services.stop)

    # hypercorn's own framework type is narrower than starlette's.
    await hypercorn_serve(services.gateway, config, shutdown_trigger=trigger)  # type: ignore[arg-type]


def keep_ignoring(loop: asyncio.AbstractEventLoop) -> None:
    """Handle the signals that this process was started to ignore, as after `nohup` and `&`, by doing nothing.

    A program inherits what is ignored, not what is handled: a container that stops by SIGQUIT would not.
    https://man7.org/linux/man-pages/man7/signal.7.html
    """
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            loop.add_signal_handler(number, lambda: None)


async def _start(services: "Services", start: Callable[[], None]) -> ServerHandle:
    """Start the services when the port responds; write the server's address and return it."""
    context = services.context
    reader, writer = await asyncio.open_connection("127.0.0.1", int(context.endpoint.rpartition(":")[2]))
    writer.write(
        b"GET /_local_aws/background-errors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    await reader.read()
    writer.close()
    await asyncio.to_thread(start)
    server = ServerHandle(
        context.state,
        context.endpoint,
        os.getpid(),
        context.instance,
        context.clock.time_scale,
        services.containers.about,
        context.isolation,
    )
    server.write()
    return server


def _exit_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Stop when the parent ends: it holds the other end of our standard input, even when it is killed."""

    def read() -> None:
        # Not sys.stdin: its lock would be held when the interpreter exits.
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=read, name="parent", daemon=True).start()
