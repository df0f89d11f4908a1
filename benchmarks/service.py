"""The throughput of the sample service's gunicorn configuration compared with gunicorn's defaults."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.load import absolute, in_turns, processors, relative, running_on, send
from harness.cloud import PROJECT, HarnessError

PYTHON = PROJECT / ".tools/sample-service/bin/python"
SERVICE = PROJECT / "sample_service"
NAME = "the service's server"
APP = "greeter:create_app()"
CONFIG = ("--config", "gunicorn.conf.py")
CONNECTIONS = 16
SECONDS = 3


def throughput() -> Iterator[Figure]:
    """Compare the two, with the same Python and with clients that keep their connections if they may."""
    load = partial(send, connections=CONNECTIONS, seconds=SECONDS)
    with serving(*CONFIG) as our_url, serving() as default_url:
        ours, default = in_turns(partial(load, our_url), partial(load, default_url))
    yield from absolute(NAME, ours)
    yield from absolute("gunicorn's defaults", default)
    yield from relative(f"{NAME} compared with gunicorn's defaults", ours, default)


@contextmanager
def serving(*options: str, app: str = APP, ready: str = "") -> Iterator[str]:
    """Serve an app by gunicorn on the processors of the servers; yield its URL once it answers at `ready`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    command = [str(PYTHON), "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", app]
    with running_on(processors()[0]), Path(os.devnull).open("w") as devnull:
        server = subprocess.Popen(  # noqa: S603 - our own gunicorn
            command, cwd=SERVICE, env=environment, stdout=devnull, stderr=devnull
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_for_response(url + ready)
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
