"""Looks at an environment, and asks its service, as long as somebody watches; keeps the newest state."""

import asyncio
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.dashboard.environment_view import Road
from harness.prober import WINDOW_SECONDS, Prober

# Gentle: enough that a canary's tenth is met now and then.
REQUESTS_PER_SECOND = 20.0
# Two hours of answers, for the reports; more than any release takes.
ANSWERS = REQUESTS_PER_SECOND * 2 * 3600
# So many moments are drawn.
HISTORY = 120
# A page that is loaded again shall find the traffic that it has shown.
LINGER_SECONDS = 60.0


class Watch:
    """The newest state of `road` as JSON by part, for any number of readers in `loop`.

    A look is taken every `interval` seconds while there are readers, and a minute longer. A look that breaks
    off as none should is the end.
    """

    def __init__(self, road: Road, interval: float, loop: asyncio.AbstractEventLoop) -> None:
        self.road = road
        self.interval = interval
        self.loop = loop
        self.parts: dict[str, str] = {}
        self.prober: Prober | None = None
        self.ended = asyncio.Event()
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self._readers = 0
        self._wanted = threading.Event()
        self._resting: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        # A daemon: a look that hangs shall not keep the process.
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep looking all the while."""
        self._readers += 1
        if self._resting is not None:
            self._resting.cancel()
        self._wanted.set()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._resting = self.loop.call_later(LINGER_SECONDS, self._wanted.clear)

    async def change(self, seen: dict[str, str], seconds: float) -> None:
        """Return when the parts are not those `seen` any more or all has ended, or after `seconds`."""
        if self.parts is seen and not self.ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    def _run(self) -> None:
        try:
            while self._wanted.wait() and not self.ended.is_set():
                self._look()
                if not self._wanted.is_set():
                    self._rest()
        finally:
            self._ask_nobody()
            self._tell(self.end)

    def _look(self) -> None:
        found = self.road.look()
        self._ask(self.road.url)
        found["traffic"] = {"url": self.road.url, "moments": list(self._history)}
        parts = {name: json.dumps(part) for name, part in found.items()}
        self._tell(self._publish, parts)
        time.sleep(self.interval)

    def _ask(self, url: str) -> None:
        """Ask the service at `url`, and keep what was answered since the last look."""
        if self.prober is not None and self.prober.url != url:
            self._ask_nobody()
        if self.prober is None:
            if not url:
                return
            self.prober = Prober(
                url, Path(os.devnull), rate=REQUESTS_PER_SECOND, connections=1, fresh=1, most=ANSWERS
            )
            self.prober.__enter__()
        asked, versions = self.prober.recent()
        answered = sum(versions.values()) / WINDOW_SECONDS
        self._history.append({"at": time.time(), "versions": versions, "failed": round(asked - answered)})

    def _ask_nobody(self) -> None:
        if self.prober is not None:
            self.prober.stop()
            self.prober = None
        self._history.clear()

    def _rest(self) -> None:
        """Forget what would be old when the next reader comes."""
        self._ask_nobody()
        self._tell(self._publish, {})

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        # The loop is closed when the process ends.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(what, *arguments)

    def _publish(self, parts: dict[str, str]) -> None:
        if parts != self.parts:
            self.parts = parts
            self._wake()

    def end(self) -> None:
        """Let the readers go, and look no more."""
        self.ended.set()
        self._wanted.set()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
