"""Serves the page, its event stream and the reports of releases on loopback; every route is read-only."""

import asyncio
import hashlib
import html
import os
import re
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from harness.cloud import HarnessError
from harness.dashboard.environment_view import CALL_ERRORS, EnvironmentView
from harness.dashboard.poller import Poller
from harness.dashboard.reports import report

PAGE = Path(__file__).with_name("page.html")
# A comment is sent after so long without a change: it reveals a dead connection.
SILENCE_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
# On AWS every reading takes calls from the account's request rates.
LOCAL_INTERVAL, INTERVAL = 1.0, 5.0
# How long a stopping server waits for readers that stay connected.
SHUTDOWN_SECONDS = 1.0
EXECUTION = r"[0-9a-f-]{36}"

POLLER = web.AppKey("poller", Poller)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(view: EnvironmentView, listener: socket.socket, until: int | None) -> None:
    """Serve on `listener` until cancelled, or until the process `until` has ended."""
    loop = asyncio.get_running_loop()
    poller = Poller(view, INTERVAL if view.cloud.endpoint is None else LOCAL_INTERVAL, loop)
    runner = web.AppRunner(application(poller), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    if until is not None:
        loop.add_reader(os.pidfd_open(until), poller.end)
    try:
        await poller.ended.wait()
    finally:
        poller.end()
        await runner.cleanup()


def application(poller: Poller) -> web.Application:
    """Return the web application that shows what `poller` reads."""
    app = web.Application(middlewares=[only_this_machine])
    app[POLLER] = poller
    app.router.add_get("/", _page, allow_head=False)
    app.router.add_get("/events", _events, allow_head=False)
    app.router.add_get(f"/reports/{{execution:{EXECUTION}}}", _report, allow_head=False)
    return app


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject requests from pages of other sites: by Host (DNS rebinding), Origin and Sec-Fetch-Site."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if not re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", host):
        raise web.HTTPForbidden(text=f"Host {host!r} is not this machine: use 127.0.0.1 or localhost")
    if origin is not None and origin != f"http://{host}":
        raise web.HTTPForbidden(text=f"Origin {origin!r} is another site")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="the request comes from a page of another site")
    return await handler(request)


async def _page(request: web.Request) -> web.StreamResponse:
    view = request.app[POLLER].view
    scale = view.cloud.time_scale
    time_scale = f"AWS's waits take {scale:g} of their length." if scale != 1 else ""
    text = PAGE.read_text()
    for name, value in {"suffix": view.suffix, "cloud": view.cloud.name, "time_scale": time_scale}.items():
        text = text.replace(f"{{{{{name}}}}}", html.escape(value))
    allowed = f"{_hashes('script', text)}; {_hashes('style', text)}; connect-src 'self'; img-src data:"
    return _html(text, allowed)


def _hashes(tag: str, page: str) -> str:
    """Return the CSP directive that allows this tag's text in the page, and nothing else."""
    (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    return f"{tag}-src 'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _html(text: str, allowed: str) -> web.Response:
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; {allowed}"
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return web.Response(text=text, content_type="text/html", headers=headers)


async def _events(request: web.Request) -> web.StreamResponse:
    """Send each part that differs from what this reader has; a new connection gets every part."""
    poller = request.app[POLLER]
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
    sent: dict[str, str] = {}
    # A reader that disconnects is no error.
    with suppress(ConnectionResetError), poller.reading():
        while not poller.ended.is_set():
            new = {name: part for name, part in poller.parts.items() if sent.get(name) != part}
            sent = poller.parts
            # JSON text has no line ends, so each part is one line.
            text = "".join(f"event: {name}\ndata: {part}\n\n" for name, part in new.items())
            await response.write((text or ": no change\n\n").encode())
            await poller.change(sent, SILENCE_SECONDS)
    return response


async def _report(request: web.Request) -> web.StreamResponse:
    poller, execution = request.app[POLLER], request.match_info["execution"]
    try:
        text = await asyncio.to_thread(report, poller.view, execution, poller.prober)
    except HarnessError as error:
        raise web.HTTPNotFound(text=f"no report of {execution}: {error}") from error
    except CALL_ERRORS as error:
        raise web.HTTPServiceUnavailable(text=f"no report of {execution}: {error}") from error
    if text is None:
        raise web.HTTPNotFound(text=f"no report of {execution}: no finished release has this execution")
    return _html(text, "style-src 'unsafe-inline'")
