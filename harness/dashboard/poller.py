"""Reads an environment and probes its service while the page has readers; keeps the newest state."""

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

from harness.dashboard.environment_view import EnvironmentView
from harness.prober import WINDOW_SECONDS, Prober

# A low rate, but high enough that a canary's tenth of the traffic is seen.
REQUESTS_PER_SECOND = 20.0
# In place of the version of a service that sends none.
UNVERSIONED = "without X-Version"
# Two hours of answers, for the reports: more than any release takes.
MAX_ANSWERS = REQUESTS_PER_SECOND * 2 * 3600
# The number of readings in the chart.
HISTORY = 120
# A page that is reloaded finds the traffic that it has shown before.
LINGER_SECONDS = 60.0


class Poller:
    """The newest state of `view` as JSON by part, for any number of readers in `loop`.

    It reads every `interval` seconds while there are readers, and for another minute. An unexpected error
    sets `ended`, which several pollers may share.
    """

    def __init__(
        self,
        view: EnvironmentView,
        interval: float,
        loop: asyncio.AbstractEventLoop,
        ended: asyncio.Event | None = None,
    ) -> None:
        self.view = view
        self.interval = interval
        self.loop = loop
        self.parts: dict[str, str] = {}
        self.prober: Prober | None = None
        self.ended = ended or asyncio.Event()
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self._readers = 0
        self._active = threading.Event()
        self._pausing: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        # A daemon: a read that hangs must not keep the process alive.
        threading.Thread(target=self._run, name="poller", daemon=True).start()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the state current while the context is open."""
        self._readers += 1
        if self._pausing is not None:
            self._pausing.cancel()
        self._active.set()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._pausing = self.loop.call_later(LINGER_SECONDS, self._active.clear)

    async def change(self, seen: dict[str, str], seconds: float) -> None:
        """Return when the parts differ from `seen`, when the poller has ended, or after `seconds`."""
        if self.parts is seen and not self.ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    def end(self) -> None:
        """Stop reading, and wake the readers."""
        self.ended.set()
        self._active.set()
        self._wake()

    def _run(self) -> None:
        try:
            while self._active.wait() and not self.ended.is_set():
                self._poll()
                if not self._active.is_set():
                    self._pause()
        finally:
            self._stop_probing()
            self._call_in_loop(self.end)

    def _poll(self) -> None:
        found = self.view.read()
        self._probe(self.view.url and self.view.url + self.view.health_path)
        found["traffic"] = {"url": self.view.url, "readings": list(self._history)}
        parts = {name: json.dumps(part) for name, part in found.items()}
        self._call_in_loop(self._publish, parts)
        time.sleep(self.interval)

    def _probe(self, url: str) -> None:
        """Probe the service at `url`, and add the answers of the last second to the history."""
        if self.prober is not None and self.prober.url != url:
            self._stop_probing()
        if self.prober is None:
            if not url:
                return
            self.prober = Prober(
                url,
                Path(os.devnull),
                rate=REQUESTS_PER_SECOND,
                connections=1,
                fresh=1,
                max_answers=MAX_ANSWERS,
                unversioned=UNVERSIONED,
            )
            self.prober.__enter__()
        requests, versions = self.prober.recent()
        answered = sum(versions.values()) / WINDOW_SECONDS
        self._history.append({"at": time.time(), "versions": versions, "failed": round(requests - answered)})

    def _stop_probing(self) -> None:
        if self.prober is not None:
            self.prober.stop()
            self.prober = None
        self._history.clear()

    def _pause(self) -> None:
        """Drop the state: it would be outdated when the next reader connects."""
        self._stop_probing()
        self._call_in_loop(self._publish, {})

    def _call_in_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        # The loop is closed when the process ends.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

    def _publish(self, parts: dict[str, str]) -> None:
        if parts != self.parts:
            self.parts = parts
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
