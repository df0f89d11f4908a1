"""A local_aws that a test can kill and start again with the same state."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import Cloud
from harness.local import check_background_errors, local_cloud, start_local_aws


class RestartableServer:
    """The server with its state in `folder`; `cloud` stays valid after a restart."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "local_aws"
        self.handle = start_local_aws(self.state)
        self.cloud: Cloud = local_cloud(self.handle, folder)

    def kill(self) -> None:
        """Send it SIGKILL. Raises `HarnessError` if it reports background errors."""
        check_background_errors(self.handle.background_errors())
        assert self.handle.process is not None
        os.kill(self.handle.pid, signal.SIGKILL)
        self.handle.process.communicate()

    def start(self) -> None:
        """Start it again with its state, on the same port."""
        before = self.handle
        self.handle = start_local_aws(self.state)
        assert self.handle.endpoint == before.endpoint
        assert self.handle.instance != before.instance

    def stop(self) -> None:
        """Stop it. Raises `HarnessError` if it reports background errors."""
        check_background_errors(self.handle.stop())


@contextmanager
def restartable(folder: Path) -> Iterator[RestartableServer]:
    """Run a restartable server while the context is open."""
    server = RestartableServer(folder)
    try:
        yield server
    finally:
        server.stop()
