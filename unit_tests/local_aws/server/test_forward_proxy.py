"""Through the gateway, a function reaches load balancers by name, and nothing else."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.daemon import ServerHandle, start
from local_aws.server.gateway import Gateway

NAME = "load-balancer-dev-1.us-east-1.elb.amazonaws.com"


class Listener(BaseHTTPRequestHandler):
    """A listener that returns the request it received."""

    def do_POST(self) -> None:
        """Answer with the request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        received = json.dumps({"path": self.path, "headers": dict(self.headers), "body": body}).encode()
        self.send_response(418)
        self.send_header("X-Version", "abc")
        self.send_header("Keep-Alive", "timeout=5")
        self.send_header("Content-Length", str(len(received)))
        self.end_headers()
        self.wfile.write(received)

    def do_GET(self) -> None:
        """Answer with the request."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
        """Stay quiet."""


@pytest.fixture
def listener() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask(
    target: str, addresses: dict[str, str], method: str = "GET", *, body: bytes = b"", **headers: Any
) -> tuple[int, dict[str, str], Any]:
    """Send a request whose first line names `target` to a gateway."""

    async def ministack(*_: object) -> None:
        raise AssertionError("a proxy request must not reach MiniStack")

    context = Context(Path("/nowhere"), "http://127.0.0.1:1", Clock(), "i", lambda *_: None)
    gateway = Gateway(context, ministack, addresses=lambda: addresses)
    path, _, query = target.partition("?")
    given = {"host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    parts: list[Message] = [
        {"type": "http.request", "body": body[:2], "more_body": True},
        {"type": "http.request", "body": body[2:]},
    ]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return parts.pop(0)

    asyncio.run(gateway(scope, receive, send))
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], fields, json.loads(b"".join(part.get("body", b"") for part in sent[1:]))


def test_a_load_balancers_name_and_port_reach_its_listener(listener: str) -> None:
    status, headers, received = ask(
        f"http://{NAME}:8080/health?deep=1%202",
        {f"{NAME}:8080": listener},
        host=f"{NAME}:8080",
        proxy_connection="keep-alive",
    )
    assert (status, headers["x-version"]) == (418, "abc")
    assert received["path"] == "/health?deep=1%202"
    assert received["headers"]["host"] == f"{NAME}:8080"
    assert "proxy-connection" not in {name.lower() for name in received["headers"]}
    assert "keep-alive" not in headers


def test_port_80_is_the_default(listener: str) -> None:
    assert ask(f"http://{NAME}/", {f"{NAME}:80": listener})[0] == 418


def test_a_body_arrives_complete(listener: str) -> None:
    received = ask(f"http://{NAME}/", {f"{NAME}:80": listener}, "POST", body=b"a body")[2]
    assert received["body"] == "a body"


@pytest.mark.parametrize(
    ("target", "method"),
    [
        ("http://example.com/", "GET"),
        (f"http://{NAME}:8080/", "GET"),
        (f"https://{NAME}/", "GET"),
        ("http://127.0.0.1:22/", "GET"),
        ("http://169.254.169.254/latest/meta-data/", "GET"),
        (f"{NAME}:80", "CONNECT"),
        ("example.com:443", "CONNECT"),
        ("http://[broken/", "GET"),
        ("http://", "GET"),
        (f"http://{NAME}:99999/", "GET"),
    ],
)
def test_every_other_target_is_rejected(listener: str, target: str, method: str) -> None:
    status, _, received = ask(target, {f"{NAME}:80": listener}, method)
    assert status == 403
    assert target in received["message"]


@pytest.mark.parametrize("header", [{"origin": "http://evil.example"}, {"sec_fetch_site": "none"}])
def test_a_browser_is_rejected(listener: str, header: dict[str, Any]) -> None:
    assert ask(f"http://{NAME}/", {f"{NAME}:80": listener}, **header)[0] == 403


def test_an_unreachable_listener_is_a_bad_gateway() -> None:
    assert ask(f"http://{NAME}/", {f"{NAME}:80": "127.0.0.1:1"})[0] == 502


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHandle]:
    made = start(tmp_path_factory.mktemp("state"))
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "http://example.com/"), ("CONNECT", "example.com:443")]
)
def test_the_server_s_port_rejects_other_targets(running: ServerHandle, method: str, target: str) -> None:
    connection = http.client.HTTPConnection(running.endpoint.removeprefix("http://"), timeout=10)
    connection.request(method, target)
    assert connection.getresponse().status == 403
    connection.close()
