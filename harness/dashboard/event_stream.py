"""Reads the page's events, as the page in a browser does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

# Longer than the server is ever silent.
SECONDS = 60.0


def events(url: str) -> Iterator[tuple[str, Any]]:
    """Yield each part that the page at `url` is sent, with its name."""
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
def reading(url: str, seen: list[tuple[str, Any]]) -> Iterator[None]:
    """Keep in `seen` all that the page is sent meanwhile."""
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
