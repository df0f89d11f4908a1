"""The service under gunicorn, with the image's own configuration file."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOM = Path(__file__).parent.parent
# Seconds for anything here: a worker that still boots loses a signal, and gunicorn ends it after its
# graceful_timeout of 30.
DEADLINE = 45


class Gunicorn:
    """A running gunicorn, and every line that it has written, parsed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read the lines of `process` until it ends, and wait for the one that says where it listens."""
        self.process = process
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.port = int(self.wait_for("Listening at").split()[2].rsplit(":", 1)[1])
        except BaseException:
            self.stop()
            raise

    def read(self) -> None:
        """Parse each line; one that is not JSON is kept as `not JSON`, so that a test can find it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.lines.put(json.loads(line))
            except ValueError:
                self.lines.put({"message": f"not JSON: {line}"})

    def wait_for(self, beginning: str) -> str:
        """Return the next message that begins so."""
        while True:
            message = str(self.next_line()["message"])
            if message.startswith(beginning):
                return message

    def next_line(self) -> dict[str, Any]:
        """Return the next line; fails on one that is not JSON."""
        line = self.lines.get(timeout=DEADLINE)
        assert not str(line["message"]).startswith("not JSON"), line
        return line

    def stop(self) -> None:
        """End gunicorn and its workers at once, by force only when they do not obey."""
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join(timeout=DEADLINE)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Ask once and return the status, the headers and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


@pytest.fixture
def gunicorn() -> Iterator[Gunicorn]:
    """Start gunicorn on a free port of loopback; end it whatever happened."""
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "GIT_COMMIT": "abc",
        "PYTHONPATH": str(ROOM / "tests"),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "slow:app"],
        cwd=ROOM,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        served = Gunicorn(process)
        try:
            yield served
        finally:
            served.stop()


def test_it_answers_with_the_commit_of_its_environment(gunicorn: Gunicorn) -> None:
    status, headers, body = gunicorn.get("/version")
    assert status == 200
    assert headers["X-Version"] == "abc"
    assert json.loads(body) == {"version": "abc"}


def test_every_line_is_json_and_each_request_has_one(gunicorn: Gunicorn) -> None:
    for _ in range(2):
        gunicorn.get("/health")
    gunicorn.stop()
    lines = [gunicorn.next_line() for _ in range(gunicorn.lines.qsize())]
    assert [line["path"] for line in lines if "path" in line] == ["/health", "/health"]
    assert not any("GET /health" in line["message"] for line in lines)
    assert any(line["message"] == "Shutting down: Master" for line in lines)


def test_a_request_in_flight_at_sigterm_is_answered(gunicorn: Gunicorn) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(gunicorn.get, "/slow")
        gunicorn.wait_for("working")
        gunicorn.process.send_signal(signal.SIGTERM)
        status, _, body = answer.result(timeout=DEADLINE)
    assert status == 200
    assert json.loads(body) == {"slow": "done"}
    assert gunicorn.process.wait(timeout=DEADLINE) == 0


def test_a_connection_stays_open_between_requests(gunicorn: Gunicorn) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gunicorn.port, timeout=DEADLINE)
    try:
        for _ in range(2):
            connection.request("GET", "/health")
            response = connection.getresponse()
            assert response.read() == b'{"status":"ok"}\n'
            assert not response.will_close
    finally:
        connection.close()
