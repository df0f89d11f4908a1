"""ECR's registry on a port of its own, for clients that use it as docker does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.ecr.service import Ecr
from local_aws.services.ecr_public.registry import PREFIX, PublicRegistry


def make_ecr(state: Path, events: list[Any] | None = None) -> Ecr:
    """Return an ECR without a gateway."""

    def emit(*event: Any) -> None:
        if events is not None:
            events.append(event)

    return Ecr(Context(state, "http://127.0.0.1:9", Clock(0.02), "test", emit))


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the registry of the server's `ecr`."""

    server: "RegistryServer"

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if parts.path.startswith(PREFIX):
            response = self.server.public.answer(parts.path, headers.get("authorization", ""))
        else:
            response = self.server.ecr.registry.answer(
                self.command, parts.path, headers, body, parse_qs(parts.query)
            )
        status, answered, content = response
        self.send_response(status)
        for name, value in answered.items():
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = bytearray()
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(found)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


class RegistryServer(ThreadingHTTPServer):
    """A server on a free port of loopback in front of one ECR and the public registry."""

    def __init__(self, ecr: Ecr, public: PublicRegistry) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ecr = ecr
        self.public = public


@contextmanager
def serving(ecr: Ecr, public: PublicRegistry | None = None) -> Iterator[str]:
    """Serve the registry of `ecr` and the public one, by default without its limit; yield the endpoint."""
    server = RegistryServer(ecr, public or PublicRegistry(pulls_per_second=1e9))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
