"""The fixtures of the hook's tests: a service behind the test listener, and AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from infrastructure.constructs.traffic_hook.function import handler as hook
from infrastructure.constructs.traffic_hook.function import image_scan
from unit_tests.infrastructure.constructs.traffic_hook.hook_fakes import KEY, PATHS, Aws, Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append(self.path)
            service.clients.add(self.client_address)
            status, version = service.answer(self.path, len(service.asked))
            self.send_response(status)
            if version is not None:
                self.send_header("X-Version", version)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Aws]:
    """The AWS that the hook calls; the expected report must be sent."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, value in {
        "CLUSTER": "cluster-dev",
        "SERVICE": "service-dev",
        "CONTAINER_NAME": "app",
        "TEST_URL": url,
        "SMOKE_PATHS": json.dumps(PATHS),
        "IMAGE_REPOSITORY": "images-dev",
        "IMAGE_SCAN_THRESHOLD": "CRITICAL",
        "IMAGE_SCAN_EXCEPTIONS": "{}",
        "BREAK_GLASS": "/break-glass-dev/test-traffic-hook",
        "EVENT_SOURCE": "test-traffic-hook-dev",
        "SIGNING_KEYS": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session("key", "secret", region_name="us-east-1")
    stubs = {name: Stubber(session.client(name)) for name in ("ecs", "ecr", "codedeploy", "ssm", "events")}
    made = Aws(stubs)
    monkeypatch.setattr(boto3, "client", made.client)
    monkeypatch.setattr(hook, "check_signature", lambda _: KEY)
    # Only the hook's clock: other threads of this process use the real one.
    for module in (hook, image_scan):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=made.slept.append))
    for stub in stubs.values():
        stub.activate()
    yield made
    stubs["codedeploy"].assert_no_pending_responses()
