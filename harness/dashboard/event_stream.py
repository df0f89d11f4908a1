"""Reads the page's event stream, as the page in a browser does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

# Longer than the server's longest silence.
SECONDS = 60.0


def events(url: str) -> Iterator[tuple[str, Any]]:
    """Yield each part that the server sends to the page at `url`, with its name."""
    with requests.get(f"{url}events", stream=True, timeout=SECONDS) as answer:
        answer.raise_for_status()
        name = ""
        for line in answer.iter_lines(decode_unicode=True):
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


@contextmanager
def record_events(url: str, seen: list[tuple[str, Any]]) -> Iterator[None]:
    """Append everything that the server sends to `seen` while the context is open."""
    over = threading.Event()

    def read() -> None:
        for event in events(url):
            seen.append(event)
            if over.is_set():
                return

    thread = threading.Thread(target=read, name="page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SECONDS)
