"""A command in the namespaces, and what its terminal shows."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from integration_tests.rehearsal.namespace import Namespace
from operations.waiting import NotYetError, wait_for


class Terminal:
    """A running command; its output goes to `path`, which a person would see."""

    def __init__(
        self,
        namespace: Namespace,
        words: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        path: Path,
    ) -> None:
        self.path = path
        with path.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own arguments
                namespace.command(words, folder),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # As in a shell: Ctrl-C reaches the whole group, and only this one.
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """What the terminal shows so far."""
        return self.path.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float = 300) -> re.Match[str]:
        """Wait until the terminal shows `pattern`. Raises `TimedOutError` with the last lines."""

        def look() -> re.Match[str]:
            found = re.search(pattern, self.text)
            if found is None:
                ended = self.process.poll()
                if ended is not None:
                    raise AssertionError(f"no {pattern!r} before exit code {ended}:\n{self.text}")
                raise NotYetError("\n".join(self.text.splitlines()[-20:]))
            return found

        return wait_for(repr(pattern), look, deadline=seconds, interval=0.2)

    def end(self, seconds: float = 900) -> int:
        """Wait for the end; return the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def interrupt(self, number: signal.Signals) -> None:
        """Send a signal: Ctrl-C to the whole group, as a terminal does, and others to the process alone."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the whole group, if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
