"""Starts local_aws. No other module of the harness knows it; they see an endpoint, as on AWS."""

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
from local_aws.daemon import ServerHandle, find, start
from local_aws.host.interpreters import PythonNotFoundError, find_python

# An account's number as an access key says to local_aws whose call it is. It is no secret.
ACCOUNT = "123456789012"
SECOND_ACCOUNT = "222222222222"
PYTHON = "3.9"
PERMISSIONS = "permissions.json"
# Lambda's Node.js runtime includes the AWS SDK; local_aws uses the one of package.json.
NODE_MODULES = PROJECT / "node_modules"


def start_local_aws(folder: Path, *, port: int = 0, keep: bool = False) -> ServerHandle:
    """Start local_aws with its state in `folder`; `keep` lets it outlive this process.

    Raises `HarnessError` with one line for a missing git or Python, or a port that is taken.
    """
    if shutil.which("git") is None:
        raise HarnessError("git is not installed: a package named git has it on every system")
    _bypass_proxies()
    try:
        find_python(PYTHON)
        # A session of its own: Ctrl-C goes to whoever tells the scenario, who still needs it to destroy.
        return start(folder, port=port, node_modules=NODE_MODULES, with_parent=not keep, detach=True)
    except (LocalAwsError, PythonNotFoundError) as error:
        said = str(error)
        if said.startswith(f"port {port} is taken"):
            # The server's own advice is for its own command line.
            said = f"port {port} is taken by another program: stop it, or: make up PORT={port + 1}"
        if kept := re.search(r"was made on port (\d+)", said):
            said = (
                f"what was made on port {kept[1]} is kept: make up PORT={kept[1]}, or take it away: make down"
            )
        raise HarnessError(said) from error


def _bypass_proxies() -> None:
    """Let no proxy come between this process, or what it starts, and this machine's loopback."""
    here = {"127.0.0.1", "localhost"}
    for name in ("NO_PROXY", "no_proxy"):
        others = set(filter(None, os.environ.get(name, "").split(",")))
        os.environ[name] = ",".join(sorted(others | here))


def find_local_aws(folder: Path) -> ServerHandle | None:
    """Return the local_aws that runs with its state in `folder`, or None."""
    return find(folder)


def is_running_in(folder: Path) -> bool:
    """Say whether a run whose files are in `folder` goes on."""
    return find(folder / "local_aws") is not None


def local_cloud(running: ServerHandle, folder: Path, account: str = ACCOUNT) -> Cloud:
    """Return the cloud that `running` is to an account; what the harness writes goes to `folder`."""
    keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "local"}
    return Cloud("local_aws", folder, running.endpoint, running.time_scale, keys, running.containers)


@contextmanager
def local_aws(folder: Path) -> Iterator[ServerHandle]:
    """Run local_aws while the context is open. Raises `HarnessError` at its end after background errors."""
    server = start_local_aws(folder / "local_aws")
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


def peak_memory(running: ServerHandle) -> int:
    """Return the most memory, in KiB, that the server's process ever held (VmHWM)."""
    status = Path(f"/proc/{running.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
