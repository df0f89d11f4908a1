"""Real servers and clients on loopback for the tests of the data plane."""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

from local_aws.core.clock import Clock
from local_aws.core.context import ACCOUNT, Context
from local_aws.services.elbv2.listener_server import ListenerServer
from local_aws.services.elbv2.records import (
    ElbSnapshot,
    Listener,
    ListenerRule,
    Target,
    TargetGroup,
    TargetHealthCheck,
)
from local_aws.services.elbv2.service import LoadBalancing

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/1/2"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def group_arn(name: str) -> str:
    return f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/1"


class Loop:
    """An event loop on a thread, for backends and for the clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.backends: list[Backend] = []
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Any, timeout: float = 60) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def close(self) -> None:
        for backend in self.backends:
            backend.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@dataclass
class Backend:
    """One target: a server on an address of its own."""

    loop: Loop
    handler: Handler
    host: str = "127.0.0.1"
    keepalive: float = 75
    requests: Counter[str] = field(default_factory=Counter)
    target: Target = field(init=False)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.loop.run(self._start())
        self.loop.backends.append(self)

    async def _start(self) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            self.requests[request.path] += 1
            return await self.handler(request)

        listening = socket.create_server((self.host, 0))
        listening.setblocking(False)
        self.target = Target(self.host, listening.getsockname()[1])
        # Its `close` leaves no connection open, not even that of a health check which has just arrived.
        self.server = ListenerServer(listening, handle, idle_timeout=self.keepalive, tls=None)
        await self.server.start()

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.loop.run(self.server.close())


def says(text: str) -> Handler:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=text)

    return handle


class FakeCloudWatch:
    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []

    def put_metric_data(self, **given: Any) -> None:
        assert given["Namespace"] == "AWS/ApplicationELB"
        self.data += given["MetricData"]


def make_context(tmp_path: Path, time_scale: float = 0.01) -> Context:
    context = Context(tmp_path, "http://127.0.0.1:1", Clock(time_scale), "test", lambda *_: None)
    context._clients[(ACCOUNT, "cloudwatch", None, "")] = FakeCloudWatch()
    return context


@contextmanager
def balancing(context: Context) -> Iterator[LoadBalancing]:
    plane = LoadBalancing(context, ElbSnapshot)
    plane.start()
    try:
        yield plane
    finally:
        plane.stop()
    assert context.background_errors == []


def target_group(name: str, *backends: Backend, delay: float = 30, **check: Any) -> TargetGroup:
    return TargetGroup(
        group_arn(name),
        8080,
        TargetHealthCheck(**{"interval": 1, "path": "/health", **check}),
        tuple(backend.target for backend in backends),
        delay,
        BALANCER,
    )


def forwarding(groups: dict[TargetGroup, int], idle: float = 60, **attributes: str) -> ElbSnapshot:
    """One listener that forwards to `groups` by weight."""
    pairs = [{"TargetGroupArn": group.arn, "Weight": weight} for group, weight in groups.items()]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}
    return answering(action, *groups, idle=idle, attributes=attributes)


def answering(
    action: dict[str, Any],
    *groups: TargetGroup,
    idle: float = 60,
    rules: tuple[ListenerRule, ...] = (),
    attributes: dict[str, str] | None = None,
) -> ElbSnapshot:
    rules = (*rules, ListenerRule((), action))
    listener = Listener(LISTENER, BALANCER, "lb.elb", 80, rules, idle, attributes or {})
    return ElbSnapshot({LISTENER: listener}, {group.arn: group for group in groups})


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, str, str]:
    """Make a certificate for `name`, 127.0.0.1 and its key: the file to trust it by, and both as PEM."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here: it makes the certificate")
    folder.mkdir(exist_ok=True)
    trust, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", trust], check=True, capture_output=True)  # noqa: S603
    return trust, trust.read_text(), key.read_text()


def url(plane: LoadBalancing, path: str = "/") -> str:
    return f"http://{plane.addresses()['lb.elb:80']}{path}"


def states(plane: LoadBalancing, group: TargetGroup) -> list[tuple[str, str]]:
    described = plane.describe_health(group.arn, [])
    return [(d["TargetHealth"]["State"], d["TargetHealth"].get("Reason", "")) for d in described]


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    moment = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        moment.wait(0.02)
    raise AssertionError(f"did not happen within {seconds} s")


async def probe(
    address: str, stop: threading.Event, rate: float, seen: Counter[str], clients: int = 16
) -> None:
    """Request `address` about `rate` times a second until `stop`; count `<status> <body>` or exceptions."""

    async def client(session: aiohttp.ClientSession) -> None:
        while not stop.is_set():
            try:
                async with session.get(address) as answer:
                    seen[f"{answer.status} {await answer.text()}"] += 1
            except (aiohttp.ClientError, OSError) as error:
                seen[repr(error)] += 1
            await asyncio.sleep(clients / rate)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))


def wait_for_more(seen: Counter[str], count: int) -> None:
    """Wait until `count` more requests were answered, however fast this machine is."""
    enough = seen.total() + count
    wait_until(lambda: seen.total() >= enough)


def get(plane: LoadBalancing, path: str = "/", **given: Any) -> requests.Response:
    return requests.get(url(plane, path), timeout=10, **given)


def healthy(plane: LoadBalancing, *groups: Any) -> None:
    wait_until(lambda: all(state == "healthy" for g in groups for state, _ in states(plane, g)))
