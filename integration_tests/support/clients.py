"""Two clients that a careless shift hurts: one whose requests take long, one that keeps its connection."""

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
# What a developer adds to the service; a line now and then keeps the connection in use.
SLOW_ROUTE = f'''

@blueprint.get("/drip")
def drip_on():
    """Answer for as many seconds as asked."""
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
class Asked:
    """One request, in seconds since the epoch; `error` is empty when it was answered whole."""

    began: float
    ended: float
    version: str = ""
    error: str = ""

    def spans(self, moment: float) -> bool:
        """Say whether it was in flight at a moment."""
        return self.began < moment < self.ended


class Client:
    """Asks again and again on threads of its own, and keeps every request, also as a line in `log`."""

    def __init__(
        self,
        ask: Callable[[], tuple[str, str]],
        log: Path,
        threads: int = 1,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.asked: list[Asked] = []
        self._ask = ask
        self._close = close
        self._log = log
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    @property
    def failures(self) -> list[Asked]:
        """The requests that were not answered whole."""
        return [one for one in self.asked if one.error]

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

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            began = time.time()
            try:
                version, error = self._ask()
            except (OSError, http.client.HTTPException) as broken:
                version, error = "", repr(broken)
            one = Asked(began, time.time(), version, error)
            with self._lock, self._log.open("a") as log:
                self.asked.append(one)
                log.write(json.dumps(asdict(one)) + "\n")


def long_requests(url: str, seconds: float, log: Path, threads: int = 3) -> Client:
    """Return a client whose requests take `seconds` each."""

    def ask() -> tuple[str, str]:
        answer = requests.get(f"{url}/drip?seconds={seconds}", timeout=seconds + 60)
        whole = answer.status_code == 200 and answer.text.endswith(DONE)
        return answer.headers.get("X-Version", ""), "" if whole else f"{answer.status_code}, cut short"

    return Client(ask, log, threads)


def kept_connection(url: str, log: Path) -> Client:
    """Return a client with one connection; it connects anew only after a server that said it would close."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
    # Off: http.client would connect anew by itself when the server has gone without a word.
    connection.auto_open = 0
    connection.connect()

    def ask() -> tuple[str, str]:
        if connection.sock is None:
            connection.connect()
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return answer.headers.get("X-Version", ""), "" if answer.status == 200 else f"status {answer.status}"

    return Client(ask, log, close=connection.close)
