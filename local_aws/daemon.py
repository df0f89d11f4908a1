"""A local_aws server seen from another process: start it, find the one of a state folder, stop it."""

import fcntl
import json
import os
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from local_aws.core import owner_secret, state_folder
from local_aws.core.context import ACCOUNT, REGION
from local_aws.core.errors import LocalAwsError
from local_aws.host import environment
from local_aws.host.modules import module_command

ENDPOINT_FILE = "endpoint.json"
LOCK_FILE = "lock"
LOG_FILE = "local_aws.log"
# An engine that lacks its image pulls it first.
START_SECONDS = 150.0
# Containers and images of an engine are removed one by one.
STOP_SECONDS = 90.0


class PortTakenError(LocalAwsError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} is taken by another program: choose another with --port, or --port 0 for a free one"
        )


class AlreadyRunningError(LocalAwsError):
    """Another local_aws holds the state folder."""


class StateLock:
    """The lock of a state folder, held as long as the server's process lives, even if that is killed."""

    def __init__(self, state: Path) -> None:
        state_folder.prepare(state)
        self.path = state / LOCK_FILE

    def __enter__(self) -> "StateLock":
        self.file = self.path.open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = self.path.read_text().strip()
            self.file.close()
            raise AlreadyRunningError(
                f"a local_aws with state folder {self.path.parent} is already running (process {pid}): "
                f"stop it with `local-aws down --state {self.path.parent}`, or choose another --state"
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
        """Return the id of the process that holds `state`, or None; the file of a dead server is ignored."""
        path = state / LOCK_FILE
        if not path.exists():
            return None
        # Its files say which process to stop.
        state_folder.check_owner(state)
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(path.read_text() or 0) or None
        return None


@dataclass
class ServerHandle:
    """A running server.

    `time_scale` is that of its clock, `containers` describes its container engine, and `isolation` says what
    builds, tasks and functions do not see.
    """

    state: Path
    endpoint: str
    pid: int
    instance: str
    time_scale: float
    containers: str
    isolation: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def write(self) -> None:
        """Write the server's address into its state folder, for `find`."""
        names = ("endpoint", "pid", "instance", "time_scale", "containers", "isolation")
        draft = self.state / f"{ENDPOINT_FILE}.new"
        draft.write_text(json.dumps({name: getattr(self, name) for name in names}) + "\n")
        draft.replace(self.state / ENDPOINT_FILE)
        owner_secret.write_environment(self.state, self.variables())

    @property
    def secret(self) -> str:
        """The secret access key of the root user of every account; the access key is the account's number."""
        return owner_secret.read(self.state)

    @property
    def credentials_file(self) -> Path:
        """A script that exports `variables`, for a shell (`. FILE`)."""
        return self.state / owner_secret.ENVIRONMENT_FILE

    def variables(self, account: str = ACCOUNT) -> dict[str, str]:
        """Return the variables with which the AWS CLI, the SDKs and git are the root user of an account."""
        return owner_secret.variables(self.endpoint, account, REGION, self.secret)

    def background_errors(self) -> list[str]:
        """Return the errors outside any request so far (GET /_local_aws/background-errors)."""
        found: list[str] = self._get("background-errors")["errors"]
        return found

    def passed_through(self) -> list[str]:
        """Return the operations that MiniStack answered unchecked (GET /_local_aws/passed-through)."""
        found: list[str] = self._get("passed-through")["operations"]
        return found

    def permissions(self) -> dict[str, Any]:
        """Return every policy statement with its uses so far, and every denial (GET /_local_aws/iam)."""
        return self._get("iam")

    def skip_days(self, days: int) -> None:
        """Let days pass for what is idle or scheduled for days (POST /_local_aws/skip-days)."""
        self._get(f"skip-days?days={days}", b"", 10 + 10 * days)

    def change_quota(self, service: str, operation: str, most: int | None = None) -> None:
        """Change how many an operation may create, or restore AWS's default (POST /_local_aws/quotas)."""
        query = f"service={service}&operation={operation}&most={'' if most is None else most}"
        self._get(f"quotas?{query}", b"")

    def _get(self, path: str, body: bytes | None = None, timeout: float = 10) -> dict[str, Any]:
        url = f"{self.endpoint}/_local_aws/{path}"
        headers = {"Authorization": f"Bearer {self.secret}"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own loopback endpoint
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 - the same
            content: dict[str, Any] = json.load(response)
        return content

    def stop(self, timeout: float = STOP_SECONDS) -> list[str]:
        """Stop the server and everything that it started; return its background errors.

        It is killed with SIGKILL after `timeout` seconds.
        """
        try:
            errors = self.background_errors()
        except (OSError, ValueError) as error:
            errors = [f"the server did not respond before it was stopped: {error}"]
        _send_signal(self, signal.SIGTERM)
        if not _has_ended(self, timeout):
            errors.append(f"the server did not stop within {timeout:g} s and was killed")
            _send_signal(self, signal.SIGKILL)
            _has_ended(self, timeout)
        if self.process is not None:
            _close(self.process)
        return errors


def start(
    state: Path,
    *,
    port: int = 0,
    time_scale: float | None = None,
    node_modules: Path | None = None,
    with_parent: bool = True,
    detach: bool = False,
) -> ServerHandle:
    """Start a server in its own process and wait until it responds.

    `port` 0 takes a free one. `node_modules` is the folder with the AWS SDK of Lambda's Node.js runtime.
    `with_parent` (default) stops the server when this process ends, even if it is killed; `detach` runs it in
    its own session. Raises `LocalAwsError` with the server's last output when it does not start.
    """
    options = ["--state", str(state), "--port", str(port), *(["--with-parent"] if with_parent else [])]
    options += [] if time_scale is None else ["--time-scale", str(time_scale)]
    options += [] if node_modules is None else ["--node-modules", str(node_modules)]
    state_folder.prepare(state)
    log = state / "start.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            module_command("local_aws", "up", *options),
            stdin=subprocess.PIPE if with_parent else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment.kept(os.environ),
            start_new_session=detach,
        )
    server = _wait_for(state, process)
    if server is None:
        _kill(process)
        timed_out = f"it did not respond within {START_SECONDS:g} s, see {state / LOG_FILE}"
        raise LocalAwsError((log.read_text().strip() or timed_out).removeprefix("local_aws: "))
    if with_parent:
        server.process = process
    else:
        # It outlives this process: without a return code, Popen would warn that it is still running.
        process.returncode = 0
    return server


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


def _wait_for(state: Path, process: subprocess.Popen[bytes]) -> ServerHandle | None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        server = find(state)
        if server is not None and server.pid == process.pid:
            return server
        time.sleep(0.05)
    return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _send_signal(server: ServerHandle, number: signal.Signals) -> None:
    # Only while it holds the lock: afterwards, its process id may be another process's.
    if StateLock.holder(server.state) == server.pid:
        os.kill(server.pid, number)


def _has_ended(server: ServerHandle, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended = server.process is None or server.process.poll() is not None
        if ended and StateLock.holder(server.state) != server.pid:
            return True
        time.sleep(0.05)
    return False
