"""The throughput of the sample's gunicorn configuration compared with gunicorn's defaults."""

import asyncio
import os
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from harness.cloud import PROJECT, HarnessError

PYTHON = PROJECT / ".tools/sample-service/bin/python"
SERVICE = PROJECT / "sample_service"
CLIENTS = 16
SECONDS = 3.0
ROUNDS = 3
APP = "greeter:create_app()"


def throughput() -> Iterator[tuple[str, str]]:
    """Compare the two, with the same Python and with clients that keep their connections."""
    ours: list[tuple[float, float]] = []
    default: list[tuple[float, float]] = []
    # Alternating, so that other load of the machine affects both.
    for _ in range(ROUNDS):
        ours.append(_measure(["--config", "gunicorn.conf.py"]))
        default.append(_measure([]))
    rate, p99 = (statistics.median(one[index] for one in ours) for index in (0, 1))
    rate_default, p99_default = (statistics.median(one[index] for one in default) for index in (0, 1))
    yield (
        "the container's gunicorn",
        f"{rate:.0f} requests/s, p99 {p99 * 1000:.0f} ms, {CLIENTS} clients on this machine",
    )
    yield (
        "compared with gunicorn's defaults",
        f"{rate / rate_default:.1f} times the requests, {p99 / p99_default:.2f} times the p99",
    )


def _measure(options: list[str]) -> tuple[float, float]:
    """Return requests per second, and the 99th percentile of their latency in seconds."""
    with _serving(options) as url:
        return asyncio.run(_send_requests(url))


@contextmanager
def _serving(options: list[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    command = [str(PYTHON), "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", APP]
    with Path(os.devnull).open("w") as devnull:
        server = subprocess.Popen(  # noqa: S603 - our own gunicorn
            command, cwd=SERVICE, env=environment, stdout=devnull, stderr=devnull
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_for_response(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_for_response(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback server
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise HarnessError(f"the sample service does not respond at {url}")


async def _send_requests(url: str) -> tuple[float, float]:
    took: list[float] = []
    began = time.monotonic()

    async def client(session: aiohttp.ClientSession) -> None:
        while time.monotonic() - began < SECONDS:
            start = time.monotonic()
            async with session.get(url) as response:
                await response.read()
            took.append(time.monotonic() - start)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return len(took) / (time.monotonic() - began), statistics.quantiles(took, n=100)[98]
