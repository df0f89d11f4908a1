"""How the sample's gunicorn serves beside gunicorn's defaults: the same requests, in turns, here."""

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
    """Compare; both have a worker's process of the same Python, and clients that keep their connections."""
    ours: list[tuple[float, float]] = []
    default: list[tuple[float, float]] = []
    # In turns, so that a busy moment of the machine falls on both.
    for _ in range(ROUNDS):
        ours.append(_measured(["--config", "gunicorn.conf.py"]))
        default.append(_measured([]))
    rate, p99 = (statistics.median(one[index] for one in ours) for index in (0, 1))
    rate_default, p99_default = (statistics.median(one[index] for one in default) for index in (0, 1))
    yield (
        "the container's gunicorn",
        f"{rate:.0f} requests/s, p99 {p99 * 1000:.0f} ms, {CLIENTS} clients on this machine",
    )
    yield (
        "beside gunicorn's defaults",
        f"{rate / rate_default:.1f} times the requests, {p99 / p99_default:.2f} times the p99",
    )


def _measured(options: list[str]) -> tuple[float, float]:
    """Return requests a second, and the 99th percentile of their seconds."""
    with _serving(options) as url:
        return asyncio.run(_asked(url))


@contextmanager
def _serving(options: list[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    command = [str(PYTHON), "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", APP]
    with Path(os.devnull).open("w") as nowhere:
        server = subprocess.Popen(  # noqa: S603 - our own gunicorn
            command, cwd=SERVICE, env=environment, stdout=nowhere, stderr=nowhere
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        _until_it_answers(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback server
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise HarnessError(f"the sample service does not answer {url}")


async def _asked(url: str) -> tuple[float, float]:
    took: list[float] = []
    began = time.monotonic()

    async def ask(session: aiohttp.ClientSession) -> None:
        while time.monotonic() - began < SECONDS:
            start = time.monotonic()
            async with session.get(url) as answer:
                await answer.read()
            took.append(time.monotonic() - start)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(ask(session) for _ in range(CLIENTS)))
    return len(took) / (time.monotonic() - began), statistics.quantiles(took, n=100)[98]
