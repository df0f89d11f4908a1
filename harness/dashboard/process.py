"""Starts the page in a process of its own, which outlives the one that starts it."""

import socket
import subprocess
import sys

import requests

from harness.cloud import PROJECT, Cloud

URL_FILE = "page.url"


def start(cloud: Cloud, suffix: str, *, port: int, until: int) -> str:
    """Return the URL of the page of `suffix`: of the one that is served already, else of a new one.

    It listens on `port`, or on a free one if that is taken, and ends when the process `until` has ended.
    """
    folder = cloud.folder / suffix
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / URL_FILE
    if written.exists() and _answers(url := written.read_text()):
        return url
    try:
        listener = listen(port)
    except OSError:
        listener = listen(0)
    # Whoever opens the page before the process is ready waits in the socket's queue.
    with listener, (folder / "page.log").open("ab") as log:
        number = str(listener.fileno())
        page = subprocess.Popen(  # noqa: S603 - our own module
            [
                *(sys.executable, "-m", "harness.dashboard", suffix, "--socket", number),
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
        # It lives on, and nobody here waits for it: else Python warns of that.
        page.returncode = 0
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    written.write_text(url)
    return url


def listen(port: int) -> socket.socket:
    """Listen on a port of loopback; 0 takes a free one."""
    return socket.create_server(("127.0.0.1", port))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False
