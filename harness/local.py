"""Starts local_aws. The other modules of the harness use its endpoint, as they use AWS."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import PROJECT, Cloud, HarnessError
from local_aws.core.errors import LocalAwsError
from local_aws.daemon import LOG_FILE, ServerHandle, find, start
from local_aws.host.interpreters import PythonNotFoundError, find_python

# local_aws takes the access key as the account number; the secret is in a file of its state folder.
ACCOUNT = "123456789012"
SECOND_ACCOUNT = "222222222222"
PYTHON = "3.9"
PERMISSIONS = "permissions.json"
# The server's log, in its state folder.
LOG = LOG_FILE
# Lambda's Node.js runtime includes the AWS SDK; local_aws uses the one of package.json.
NODE_MODULES = PROJECT / "node_modules"


def start_local_aws(
    folder: Path, *, port: int = 0, keep: bool = False, time_scale: float | None = None
) -> ServerHandle:
    """Start local_aws with its state in `folder`; with `keep`, it outlives this process.

    Raises `HarnessError` with one line if git or Python is missing, or if the port is taken.
    """
    if shutil.which("git") is None:
        raise HarnessError("git is not installed: install the package git")
    _bypass_proxies()
    try:
        find_python(PYTHON)
        # In a session of its own, it gets no Ctrl-C: the scenario still needs it to destroy.
        return start(
            folder,
            port=port,
            time_scale=time_scale,
            node_modules=NODE_MODULES,
            with_parent=not keep,
            detach=True,
        )
    except (LocalAwsError, PythonNotFoundError) as error:
        raise HarnessError(_advice(str(error), port)) from error


def _advice(message: str, port: int) -> str:
    """Return an error of the server with advice for `make`: its own is for its command line."""
    if message.startswith(f"port {port} is taken"):
        return f"port {port} is taken by another program: stop it, or: make up PORT={port + 1}"
    if saved := re.search(r"was made on port (\d+)", message):
        return f"an environment on port {saved[1]} is saved: make up PORT={saved[1]}, or remove it: make down"
    return message


def _bypass_proxies() -> None:
    """Exclude loopback from the proxies of this process and its children."""
    loopback = {"127.0.0.1", "localhost"}
    for name in ("NO_PROXY", "no_proxy"):
        others = set(filter(None, os.environ.get(name, "").split(",")))
        os.environ[name] = ",".join(sorted(others | loopback))


def find_local_aws(folder: Path) -> ServerHandle | None:
    """Return the running local_aws with its state in `folder`, or None. Raises `HarnessError`."""
    try:
        return find(folder)
    except LocalAwsError as error:
        raise HarnessError(str(error)) from error


def is_running_in(folder: Path) -> bool:
    """Return whether the run with its files in `folder` is still running."""
    return find(folder / "local_aws") is not None


def local_cloud(server: ServerHandle, folder: Path, account: str = ACCOUNT) -> Cloud:
    """Return local_aws as the cloud of an account; the harness writes to `folder`."""
    keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": server.secret}
    about = (server.containers, server.isolation, server.passed_through)
    return Cloud("local_aws", folder, server.endpoint, server.time_scale, keys, *about)


@contextmanager
def local_aws(folder: Path, time_scale: float | None = None) -> Iterator[ServerHandle]:
    """Run local_aws while the context is open. Raises `HarnessError` at its end after background errors."""
    server = start_local_aws(folder / "local_aws", time_scale=time_scale)
    try:
        yield server
    finally:
        with contextlib.suppress(OSError, ValueError):
            # A server that has ended is reported below.
            (folder / PERMISSIONS).write_text(json.dumps(server.permissions(), indent=1))
        errors = server.stop()
    check_background_errors(errors)


def check_background_errors(errors: list[str]) -> None:
    """Raise `HarnessError` if local_aws reports errors of its background work."""
    if errors:
        raise HarnessError(f"local_aws reports background errors: {'; '.join(errors)}")


def peak_memory(server: ServerHandle) -> int:
    """Return the peak memory of the server's process in KiB (VmHWM)."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
