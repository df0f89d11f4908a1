"""An environment during a shift, as the dashboard's server reads it, and a server for it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any, cast

from harness.cloud import Cloud
from harness.dashboard.environment_view import EnvironmentView
from harness.dashboard.event_stream import events
from harness.dashboard.process import listen
from harness.dashboard.server import serve

OLD, NEW, OLDER = "a" * 40, "b" * 40, "c" * 40
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
EXECUTION = "c3a70a35-5435-420e-bbeb-5cd39ae9a9c4"


def stage(name: str, status: str, commit: str, reason: str = "") -> dict[str, Any]:
    action = {"name": name, "status": status, "at": 1_700_000_000.0, "reason": reason}
    return {
        "name": name,
        "status": status,
        "commit": commit,
        "waiting": [],
        "closed": "",
        "actions": [action],
    }


def target_group(name: str, version: str, status: str, production: float) -> dict[str, Any]:
    tasks = {"running": 2, "desired": 2, "healthy": 2, "targets": 2}
    return {
        "name": name,
        "version": version,
        "status": status,
        **tasks,
        "production": production,
        "test": 0.0,
    }


def release(execution: str, commit: str, subject: str, status: str) -> dict[str, Any]:
    times = {"began": 1_700_000_000.0, "changed": 1_700_000_040.0}
    return {
        "execution": execution,
        "commit": commit,
        "subject": subject,
        "body": "",
        "author": "",
        "written": None,
        "seed": False,
        "status": status,
        **times,
    }


def shift() -> dict[str, dict[str, Any]]:
    """Return a shift with a tenth of the traffic on green; texts of commits and logs contain markup."""
    events = [{"name": "Install", "status": "Succeeded"}, {"name": "AllowTraffic", "status": "InProgress"}]
    deployment = {
        "id": "d-1",
        "rollback_of": "",
        "status": "InProgress",
        "config": "Canary",
        "reason": MARKUP,
        "events": events,
    }
    return {
        "stack": {"name": "stack-it1", "status": "CREATE_COMPLETE", "reason": "", "nested": []},
        "pipeline": {
            "stages": [stage("Source", "Succeeded", NEW, MARKUP), stage("Deploy", "InProgress", NEW)],
            "deployments": [deployment],
            "releases": [
                release("1", NEW, MARKUP, "InProgress"),
                release(EXECUTION, OLD, "Greet", "Succeeded"),
                release("0", OLDER, "Begin", "Failed"),
            ],
        },
        "failure": {"lines": []},
        "target_groups": {
            "target_groups": [
                target_group("target-group-blue-it1", OLD, "PRIMARY", 90),
                target_group("target-group-green-it1", NEW, "ACTIVE", 10),
            ]
        },
        "logs": {"build": ["Phase complete: BUILD", MARKUP], "tasks": [MARKUP]},
    }


class RecordedView:
    """Returns the same state at every reading, until a test changes it."""

    def __init__(self, url: str = "") -> None:
        self.cloud = Cloud("local_aws", Path("nowhere"), "http://127.0.0.1:9", 0.02)
        self.suffix = "it1"
        self.url = url
        self.health_path = "/health"
        self.state = shift()
        self.reads = 0

    def read(self) -> dict[str, dict[str, Any]]:
        self.reads += 1
        return dict(self.state)


@contextmanager
def served(view: RecordedView, port: int = 0, until: int | None = None) -> Iterator[str]:
    """Serve the dashboard of `view` while the context is open; yield the URL of its page."""
    listener = listen(port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/{view.suffix}/"
    ready, loops = threading.Event(), []

    async def run() -> None:
        task = asyncio.ensure_future(
            serve(
                view.cloud,
                listener,
                until,
                view=lambda _: cast(EnvironmentView, view),
                suffix=view.suffix,
            )
        )
        loops.append((asyncio.get_running_loop(), task))
        ready.set()
        await asyncio.wait([task])

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    (loop, task) = loops[0]
    try:
        yield url
    finally:
        # A server that has ended by itself has closed its loop, maybe just now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


@contextmanager
def two_versions(*, path: str = "/health", header: str = "X-Version") -> Iterator[str]:
    """Serve two versions in turn on loopback, each in a header, at one path; yield the URL without it."""
    versions = cycle([OLD, NEW])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == path else 404)
            self.send_header(header, next(versions))
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read_until_both_versions_answered(url: str) -> None:
    """Return when the dashboard at `url` has shown both versions."""
    for name, part in events(url):
        if name == "traffic" and {OLD, NEW} == {
            one for reading in part["readings"] for one in reading["versions"]
        }:
            return
