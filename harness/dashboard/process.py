"""Runs the dashboard, here or in a process of its own that outlives the process that starts it."""

import asyncio
import os
import socket
import subprocess
import sys
from functools import partial

import requests

from harness.cloud import PROJECT, Cloud, HarnessError
from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.server import serve
from harness.folders import folder

URL_FILE = "page.url"


def start_dashboard(cloud: Cloud, suffix: str, *, port: int, until: int) -> str:
    """Return the URL of the dashboard of `suffix`, which is started unless it runs already.

    It listens on `port`, or on a free port if that one is taken, and ends when the process `until` ends.
    """
    files = cloud.folder / suffix
    files.mkdir(parents=True, exist_ok=True)
    url_file = files / URL_FILE
    if url_file.exists() and _answers(url := url_file.read_text()):
        return url
    try:
        listener = listen(port)
    except OSError:
        listener = listen(0)
    # A connection before the process is ready waits in the socket's queue.
    with listener, (files / "page.log").open("ab") as log:
        number = str(listener.fileno())
        page = subprocess.Popen(  # noqa: S603 - our own module
            [
                *(sys.executable, "-m", "harness", "dashboard", suffix, "--socket", number),
                *("--until", str(until), "--time-scale", str(cloud.time_scale)),
            ],
            cwd=PROJECT,
            env=cloud.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[listener.fileno()],
        )
        # It outlives this process: without a return code, Python warns that nothing waited for it.
        page.returncode = 0
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{suffix}/"
    url_file.write_text(url)
    return url


def run_dashboard(
    suffix: str | None,
    *,
    port: int,
    time_scale: float = 1.0,
    until: int | None = None,
    inherited_socket: int | None = None,
) -> int:
    """Serve the dashboard until Ctrl-C, or until the process `until` ends; `suffix` need not be deployed yet.

    The cloud is the one of AWS_ENDPOINT_URL and the caller's credentials. `inherited_socket` is the file
    descriptor of a listening socket, used in place of `port`. Raises `HarnessError` if the port is taken.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    cloud = Cloud("local_aws" if endpoint else "AWS", folder("page"), endpoint, time_scale)
    try:
        listener = listen(port) if inherited_socket is None else socket.socket(fileno=inherited_socket)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise HarnessError(f"cannot listen on port {port} ({reason}): choose another with --port") from error
    view = partial(EnvironmentView, cloud)
    asyncio.run(serve(cloud, listener, until, view=view, suffix=suffix))
    return 0


def listen(port: int) -> socket.socket:
    """Listen on a loopback port; 0 takes a free one."""
    return socket.create_server(("127.0.0.1", port))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False
