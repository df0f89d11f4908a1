"""The server's process: MiniStack's gateway with our services behind it, on one loopback port."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.core.clock import DEFAULT_TIME_SCALE, Clock
from local_aws.core.context import ACCOUNT, REGION, Context
from local_aws.daemon import (
    ENDPOINT_FILE,
    LOG_FILE,
    LocalAwsError,
    PortTakenError,
    ServerHandle,
    StateLock,
    start,
)
from local_aws.host import reaper
from local_aws.host.process_tags import INSTANCE_VARIABLE
from local_aws.persistence import snapshots
from local_aws.persistence.snapshots import Kept
from local_aws.server.background_errors import watch_log

if TYPE_CHECKING:
    # It brings MiniStack in, which reads its environment when it is imported.
    from local_aws.server.application import Services

__all__ = ["ServerHandle", "serve", "start"]

logger = logging.getLogger("local_aws")

# After this many seconds of stopping, the process ends whatever still hangs; the reaper ends its children.
STOP_SECONDS = 15.0


def serve(
    state: Path,
    port: int = 0,
    time_scale: float | None = None,
    *,
    with_parent: bool = False,
    ready: Callable[[ServerHandle], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT (or, `with_parent`, until standard input ends).

    Goes on with what an earlier server kept in `state`, at its port and its clock's factor.
    Writes `state/endpoint.json` once requests are answered, and then calls `ready`; its log goes to
    `state/local_aws.log`.
    Raises `PortTakenError` when the port is, `AlreadyRunningError` when another server holds `state`,
    `NoEngineError` when LOCAL_AWS_CONTAINERS asks for an engine that does not work, and `LocalAwsError` when
    what is kept cannot be read, or belongs to another port.
    """
    kept = snapshots.read(state)
    if kept is not None:
        # Whoever runs with it has its port too, which says less.
        with StateLock(state):
            pass
    with _listen(_port(state, port, kept)) as listener, StateLock(state):
        _serve(state, listener, time_scale, kept, with_parent, ready or _nothing)


def _port(state: Path, port: int, kept: Kept | None) -> int:
    if kept is None or port in (0, kept.port):
        return port if kept is None else kept.port
    # Addresses in what is kept (queues, clones, templates) name it.
    raise LocalAwsError(
        f"{state} keeps what was made on port {kept.port}: start it there, remove it, or take another --state"
    )


def _serve(
    state: Path,
    listener: socket.socket,
    time_scale: float | None,
    kept: Kept | None,
    with_parent: bool,
    ready: Callable[[ServerHandle], None],
) -> None:
    port = listener.getsockname()[1]
    instance = uuid.uuid4().hex
    _set_environment(port, instance)
    _keep_temporary_files_in(state / "tmp")
    watching = reaper.start(instance, state)
    _log_to(state / LOG_FILE)
    # Imported only now: MiniStack reads the environment when it is imported.
    from local_aws import ministack
    from local_aws.containers import selection
    from local_aws.server import application

    ministack.check_version()
    clock = Clock(time_scale or (kept.time_scale if kept else DEFAULT_TIME_SCALE))
    context = Context(
        state, f"http://127.0.0.1:{port}", clock, instance, partial(ministack.emit_event, ACCOUNT)
    )
    watch_log(context)
    try:
        made = application.install(context, selection.select_engine(context))
        if kept is not None:
            made.restore(kept.parts)
        start = partial(made.start, again=kept is not None)
        asyncio.run(_run(listener, made, start, with_parent, ready))
    finally:
        (state / ENDPOINT_FILE).unlink(missing_ok=True)
        watching.finish()


def _nothing(_: ServerHandle) -> None:
    """Tell nobody."""


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


def _set_environment(port: int, instance: str) -> None:
    project = Path(__file__).resolve().parent.parent.parent
    node = Path(sys.prefix) / "bin"
    paths = [str(node), os.environ.get("PATH", os.defpath)]
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "BIND_HOST": "127.0.0.1",
            # Else MiniStack opens a port to the world, whatever BIND_HOST says.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "PATH": os.pathsep.join(paths),
            # Lambda's Node.js runtime carries the AWS SDK; here the project's own node_modules stands for it.
            "NODE_PATH": str(project / "node_modules"),
            INSTANCE_VARIABLE: instance,
        }
    )


def _keep_temporary_files_in(folder: Path) -> None:
    # MiniStack unpacks functions into temporary folders and leaves them there.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tempfile.tempdir = str(folder)


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


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
    # hypercorn closes it at its end.
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if with_parent:
        _end_with_parent(loop, stopped)

    async def trigger() -> None:
        ready(await _start(services, start))
        await stopped.wait()
        _end_whatever_happens()
        # While the port still answers: a service may say goodbye to the others.
        await asyncio.to_thread(services.stop)

    # Signature of hypercorn's own framework type is wider than ours.
    await hypercorn_serve(services.gateway, config, shutdown_trigger=trigger)  # type: ignore[arg-type]


async def _start(services: "Services", start: Callable[[], None]) -> ServerHandle:
    """Start the services once the port answers, then tell whoever waits where it is."""
    context = services.context
    reader, writer = await asyncio.open_connection("127.0.0.1", int(context.endpoint.rpartition(":")[2]))
    writer.write(b"GET /_local_aws/faults HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await reader.read()
    writer.close()
    await asyncio.to_thread(start)
    running = ServerHandle(
        context.state,
        context.endpoint,
        os.getpid(),
        context.instance,
        context.clock.time_scale,
        services.containers.about,
    )
    running.note()
    return running


def _end_whatever_happens() -> None:
    end = threading.Timer(STOP_SECONDS, os._exit, [1])
    end.daemon = True
    end.start()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Stop when the parent is gone: it holds the other end of our standard input, even when killed by -9."""

    def read() -> None:
        # Not sys.stdin: its lock would be held when the interpreter ends.
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=read, name="parent", daemon=True).start()
