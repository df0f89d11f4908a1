"""A running local_aws seen from outside: start one, find the one of a state folder, stop it."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

ENDPOINT_FILE = "endpoint.json"
LOCK_FILE = "lock"
LOG_FILE = "local_aws.log"
# An engine that lacks its image may pull it first.
START_SECONDS = 150.0
# With an engine, its containers and images are removed one by one.
STOP_SECONDS = 90.0


class LocalAwsError(Exception):
    """What a person can set right; the message says how."""


class PortTakenError(LocalAwsError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} is taken by another program: choose another with --port, or --port 0 for a free one"
        )


class AlreadyRunningError(LocalAwsError):
    """Another local_aws holds the state folder."""


class StateLock:
    """A state folder belongs to one server: the lock is held as long as its process lives, -9 included."""

    def __init__(self, state: Path) -> None:
        self.path = state / LOCK_FILE
        state.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "StateLock":
        self.file = self.path.open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = self.path.read_text().strip()
            self.file.close()
            raise AlreadyRunningError(
                f"a local_aws with {self.path.parent} runs already (process {pid}): stop it with "
                f"`python -m local_aws down --state {self.path.parent}`, or choose another --state"
            ) from error
        self.file.truncate(0)
        self.file.write(str(os.getpid()))
        self.file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    @staticmethod
    def holder(state: Path) -> int | None:
        """Return the process that holds `state`, or None; a file left by a dead server counts for nothing."""
        path = state / LOCK_FILE
        if not path.exists():
            return None
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(path.read_text() or 0) or None
        return None


@dataclass
class ServerHandle:
    """A server that answers. `clock` is the pace of AWS's waits, `containers` says what runs them."""

    state: Path
    endpoint: str
    pid: int
    instance: str
    clock: float
    containers: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def note(self) -> None:
        """Write into the state folder where the server is, for `find`."""
        kept = ("endpoint", "pid", "instance", "clock", "containers")
        written = self.state / f"{ENDPOINT_FILE}.new"
        written.write_text(json.dumps({name: getattr(self, name) for name in kept}) + "\n")
        written.replace(self.state / ENDPOINT_FILE)

    def faults(self) -> list[str]:
        """Return what went wrong in the background so far (GET /_local_aws/faults)."""
        found: list[str] = self._ask("faults")["faults"]
        return found

    def permissions(self) -> dict[str, Any]:
        """Return every policy statement with its use so far, and every refusal (GET /_local_aws/iam)."""
        return self._ask("iam")

    def _ask(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/_local_aws/{what}", timeout=10) as answer:  # noqa: S310 - our own loopback endpoint
            found: dict[str, Any] = json.load(answer)
        return found

    def stop(self, timeout: float = STOP_SECONDS) -> list[str]:
        """Stop it and everything it started; return its faults. SIGKILL after `timeout` seconds."""
        try:
            found = self.faults()
        except (OSError, ValueError) as error:
            found = [f"the server did not answer before it was stopped: {error}"]
        _end(self, signal.SIGTERM)
        if not _gone(self, timeout):
            found.append(f"the server did not stop within {timeout:g} s and was killed")
            _end(self, signal.SIGKILL)
            _gone(self, timeout)
        if self.process is not None:
            _close(self.process)
        return found


def start(
    state: Path,
    *,
    port: int = 0,
    time_scale: float | None = None,
    with_parent: bool = True,
    detach: bool = False,
) -> ServerHandle:
    """Start a server in its own process and wait until it answers.

    `port` 0 takes a free one. `with_parent` (default) ends it when this process ends, by whatever means;
    `detach` gives it a session of its own. Raises `LocalAwsError` with its last words when it does not start.
    """
    command = [sys.executable, "-m", "local_aws", "up", "--state", str(state), "--port", str(port)]
    command += [] if time_scale is None else ["--clock", str(time_scale)]
    command += ["--with-parent"] if with_parent else []
    state.mkdir(parents=True, exist_ok=True)
    words = state / "start.log"
    with words.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE if with_parent else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=detach,
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        running = find(state)
        if running is not None and running.pid == process.pid:
            if with_parent:
                running.process = process
            else:
                # It outlives this process, which would be warned of what it did not wait for.
                process.returncode = 0
            return running
        time.sleep(0.05)
    process.kill()
    process.wait()
    _close(process)
    said = (
        words.read_text().strip() or f"it did not answer within {START_SECONDS:g} s, see {state / LOG_FILE}"
    )
    raise LocalAwsError(said.removeprefix("local_aws: "))


def find(state: Path) -> ServerHandle | None:
    """Return the server that runs with `state`, or None."""
    pid = StateLock.holder(state)
    path = state / ENDPOINT_FILE
    if pid is None or not path.exists():
        return None
    record = json.loads(path.read_text())
    if record["pid"] != pid:
        return None
    return ServerHandle(state, **record)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _end(running: ServerHandle, number: signal.Signals) -> None:
    # The lock says that this process is the one; a number alone could be another's by now.
    if StateLock.holder(running.state) == running.pid:
        os.kill(running.pid, number)


def _gone(running: ServerHandle, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended = running.process is None or running.process.poll() is not None
        if ended and StateLock.holder(running.state) != running.pid:
            return True
        time.sleep(0.05)
    return False
