"""Starts local_aws: MiniStack's gateway with our services behind it, on one loopback port."""

import asyncio
import json
import os
import signal
import socket
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local_aws.clock import Clock
from local_aws.context import ACCOUNT, INSTANCE_VARIABLE, REGION, Context

Asgi = Callable[
    [dict[str, Any], Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]
]


def serve(state: Path, port: int = 0, factor: float | None = None) -> None:
    """Serve until SIGTERM or SIGINT; write `state/endpoint.json` once requests are answered."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    port = listener.getsockname()[1]
    instance = uuid.uuid4().hex
    _set_environment(port, instance, state)

    from local_aws import ministack

    ministack.check_version()
    clock = Clock(factor) if factor else Clock()
    context = Context(state, f"http://127.0.0.1:{port}", clock, instance, ministack.emit_event)
    _install(context)
    asyncio.run(_run(listener, context))


def _set_environment(port: int, instance: str, state: Path) -> None:
    # MiniStack reads these when it is imported.
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            INSTANCE_VARIABLE: instance,
        }
    )


def _install(context: Context) -> None:
    """Put our services behind MiniStack's gateway."""


async def _run(listener: socket.socket, context: Context) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    endpoint = context.state / "endpoint.json"
    endpoint.write_text(json.dumps({"endpoint": context.endpoint, "pid": os.getpid()}))
    try:
        await hypercorn_serve(app, config, shutdown_trigger=stopped.wait)
    finally:
        endpoint.unlink(missing_ok=True)
