"""The pollers of a server: one for each environment that somebody has looked at."""

import asyncio
from collections.abc import Callable

from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.poller import Poller


class Pollers:
    """Makes the poller of an environment when its page is first opened; `view` makes what it reads.

    If one ends by an unexpected error, all end, and with them the server.
    """

    def __init__(
        self, view: Callable[[str], EnvironmentView], interval: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.view = view
        self.interval = interval
        self.loop = loop
        self.ended = asyncio.Event()
        self._pollers: dict[str, Poller] = {}

    def __contains__(self, suffix: str) -> bool:
        return suffix in self._pollers

    def open(self, suffix: str) -> Poller:
        """Return the poller of an environment."""
        if suffix not in self._pollers:
            self._pollers[suffix] = Poller(self.view(suffix), self.interval, self.loop, self.ended)
        return self._pollers[suffix]

    def end(self) -> None:
        """Stop reading, and wake the readers."""
        self.ended.set()
        for poller in self._pollers.values():
            poller.end()
