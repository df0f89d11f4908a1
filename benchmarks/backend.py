"""A WSGI app behind the load balancer: /whole/N answers N bytes with their length, /chunked/N without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CHUNK = b"x" * 65536


def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Answer any request whose path has this form, also a health check."""
    _, form, size = environ["PATH_INFO"].split("/")
    headers = [("Content-Length", size)] if form == "whole" else []
    start_response("200 OK", [("Content-Type", "application/octet-stream"), *headers])
    for sent in range(0, int(size), len(CHUNK)):
        yield CHUNK[: int(size) - sent]
