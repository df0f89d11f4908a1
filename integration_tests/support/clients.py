"""Two clients that notice an abrupt shift: one with long requests, and one that keeps its connection."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import requests

PAUSE_SECONDS = 0.1
DONE = "done"
# Added to the service by a commit; the lines in between keep the connection active.
SLOW_ROUTE = f'''

@blueprint.get("/drip")
def drip_on():
    """Respond for the requested number of seconds."""
    import time

    from flask import Response, request

    end = time.monotonic() + float(request.args["seconds"])

    def drip():
        while time.monotonic() < end:
            yield ".\\n"
            time.sleep(0.2)
        yield "{DONE}"

    return Response(drip())
'''


@dataclass(frozen=True)
class TimedRequest:
    """One request, in seconds since the epoch; `error` is empty if its response was complete."""

    began: float
    ended: float
    version: str = ""
    error: str = ""

    def spans(self, moment: float) -> bool:
        """Return whether the request was in flight at a moment."""
        return self.began < moment < self.ended


class Client:
    """Sends requests repeatedly on threads of its own, and records each in `requests` and in `log`."""

    def __init__(
        self,
        send: Callable[[], tuple[str, str]],
        log: Path,
        threads: int = 1,
        apart: float = 0.0,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.requests: list[TimedRequest] = []
        self._send = send
        self._close = close
        self._log = log
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # Seconds apart: requests that all end together leave a moment without any.
        self._threads = [
            threading.Thread(target=self._run, args=(apart * number,), daemon=True)
            for number in range(threads)
        ]

    @property
    def failures(self) -> list[TimedRequest]:
        """The requests without a complete response."""
        return [one for one in self.requests if one.error]

    def __enter__(self) -> "Client":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._close()

    def _run(self, delay: float) -> None:
        self._stop.wait(delay)
        while not self._stop.wait(PAUSE_SECONDS):
            began = time.time()
            try:
                version, error = self._send()
            except (OSError, http.client.HTTPException) as failure:
                version, error = "", repr(failure)
            one = TimedRequest(began, time.time(), version, error)
            with self._lock, self._log.open("a") as log:
                self.requests.append(one)
                log.write(json.dumps(asdict(one)) + "\n")


def long_requests(url: str, seconds: float, log: Path, threads: int = 4) -> Client:
    """Return a client whose requests take `seconds` each."""

    def send() -> tuple[str, str]:
        response = requests.get(f"{url}/drip?seconds={seconds}", timeout=seconds + 60)
        complete = response.status_code == 200 and response.text.endswith(DONE)
        return response.headers.get(
            "X-Version", ""
        ), "" if complete else f"{response.status_code}, incomplete"

    return Client(send, log, threads, apart=seconds / threads)


def kept_connection(url: str, log: Path) -> Client:
    """Return a client with one connection, which reconnects only after a response with Connection: close."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
    # Otherwise http.client reconnects by itself after an abrupt close.
    connection.auto_open = 0
    connection.connect()

    def send() -> tuple[str, str]:
        if connection.sock is None:
            connection.connect()
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        return response.headers.get(
            "X-Version", ""
        ), "" if response.status == 200 else f"status {response.status}"

    return Client(send, log, close=connection.close)
