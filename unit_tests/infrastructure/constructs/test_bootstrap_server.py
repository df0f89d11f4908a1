"""The bootstrap server, which responds until the first release, run as in its task."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from unit_tests.infrastructure.synthesized import PROJECT

SOURCE = (PROJECT / "infrastructure" / "constructs" / "bootstrap_server.py").read_text("utf-8")


def pythons() -> list[str]:
    """Return Python 3.9, which the image has, or else the one that runs the tests."""
    candidates = [
        shutil.which("python3.9"),
        *map(str, Path.home().glob(".pyenv/versions/3.9*/bin/python3.9")),
    ]
    works = [
        python
        for python in candidates
        if python and subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0  # noqa: S603
    ]
    return works[:1] or [sys.executable]


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen([pythons()[0], "-c", SOURCE], env=environment)  # noqa: S603  # our own source
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        assert process.poll() is None, "the bootstrap server ended"
        assert time.monotonic() < deadline, "the bootstrap server does not listen"
        time.sleep(0.05)
    yield process, port
    process.kill()
    process.wait()


def ask(port: int, method: str, path: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body=b"x" if method in ("POST", "PUT") else None)
        response = connection.getresponse()
        return response.status, response.getheader("X-Version"), response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/health", "/version", "/any/thing?at=all"])
def test_every_path_responds_with_200_and_the_version_bootstrap(
    server: tuple[subprocess.Popen[bytes], int], path: str
) -> None:
    assert ask(server[1], "GET", path) == (200, "bootstrap", b'{"version": "bootstrap"}\n')


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_every_method_responds_with_200(server: tuple[subprocess.Popen[bytes], int], method: str) -> None:
    status, version, body = ask(server[1], method, "/")
    assert (status, version) == (200, "bootstrap")
    assert (body == b"") == (method == "HEAD")


def test_sigterm_stops_it_at_once_with_exit_code_0(server: tuple[subprocess.Popen[bytes], int]) -> None:
    """Without a handler, process 1 of a container ignores the signal and is killed (pitfall N2)."""
    process, port = server
    assert ask(port, "GET", "/")[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0


def test_without_its_handler_sigterm_is_not_a_clean_end() -> None:
    """Negative control of the test above."""
    lines = SOURCE.splitlines()
    broken = "\n".join(line for line in lines if not line.startswith("signal.signal"))
    assert broken != SOURCE.rstrip("\n")
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0"}
    process = subprocess.Popen([sys.executable, "-c", broken], env=environment)  # noqa: S603  # our own source
    try:
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) != 0
    finally:
        process.kill()
        process.wait()


def test_it_has_one_name_in_the_code_and_in_the_documents() -> None:
    """A reader who meets another one looks for another server."""
    stack = (PROJECT / "infrastructure/stacks/compute.py").read_text("utf-8")
    about_it = [SOURCE, stack, (PROJECT / "docs/decisions/3-bootstrap-server.md").read_text("utf-8")]
    assert not [text for text in about_it if "placeholder" in text.lower()]
    assert "The bootstrap server answers until" in (PROJECT / "README.md").read_text("utf-8")
