"""A local_aws that a scenario may kill and start again on its state."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import Cloud, HarnessError
from harness.local import local_cloud, start_local_aws


class Server:
    """The server whose state is in `folder`; `cloud` is the same for all its lives."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "local_aws"
        self.running = start_local_aws(self.state)
        self.cloud: Cloud = local_cloud(self.running, folder)

    def kill(self) -> None:
        """SIGKILL it. Raises `HarnessError` if it had seen a fault."""
        self._check(self.running.faults())
        assert self.running.process is not None
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.process.communicate()

    def start(self) -> None:
        """Start it on its state: where it was, it is again."""
        before = self.running
        self.running = start_local_aws(self.state)
        assert self.running.endpoint == before.endpoint
        assert self.running.instance != before.instance

    def stop(self) -> None:
        """Stop it. Raises `HarnessError` if it had seen a fault."""
        self._check(self.running.stop())

    @staticmethod
    def _check(faults: list[str]) -> None:
        if faults:
            raise HarnessError(f"local_aws saw faults: {'; '.join(faults)}")


@contextmanager
def restartable(folder: Path) -> Iterator[Server]:
    """Run one for a while."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()
