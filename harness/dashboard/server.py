"""Serves the page on loopback, its events, and the releases' reports; nothing there changes anything."""

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

from harness.dashboard.environment_view import Road
from harness.dashboard.reports import report
from harness.dashboard.watch import Watch

PAGE = Path(__file__).with_name("page.html")
# So that a connection that is dead is noticed where nothing changes.
SILENCE_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
# On AWS every look costs calls that others may need.
LOCAL_INTERVAL, INTERVAL = 1.0, 5.0
# A reader who does not let go when the server stops.
GOODBYE_SECONDS = 1.0
EXECUTION = r"[0-9a-f-]{36}"

WATCH = web.AppKey("watch", Watch)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(road: Road, listener: socket.socket, until: int | None) -> None:
    """Serve on `listener` until cancelled, or until the process `until` has ended."""
    loop = asyncio.get_running_loop()
    watch = Watch(road, INTERVAL if road.cloud.endpoint is None else LOCAL_INTERVAL, loop)
    runner = web.AppRunner(application(watch), access_log=None, shutdown_timeout=GOODBYE_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    if until is not None:
        loop.add_reader(os.pidfd_open(until), watch.end)
    try:
        await watch.ended.wait()
    finally:
        watch.end()
        await runner.cleanup()


def application(watch: Watch) -> web.Application:
    """Return the page of what `watch` sees."""
    app = web.Application(middlewares=[only_this_machine])
    app[WATCH] = watch
    app.router.add_get("/", _page, allow_head=False)
    app.router.add_get("/events", _events, allow_head=False)
    app.router.add_get(f"/reports/{{execution:{EXECUTION}}}", _report, allow_head=False)
    return app


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page asks: by Host (DNS rebinding), Origin, and the browser's own word."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if not re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", host):
        raise web.HTTPForbidden(text=f"Host {host!r} is not of this machine: use 127.0.0.1 or localhost")
    if origin is not None and origin != f"http://{host}":
        raise web.HTTPForbidden(text=f"Origin {origin!r} is another site")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="the request comes from a page of another site")
    return await handler(request)


async def _page(request: web.Request) -> web.StreamResponse:
    road = request.app[WATCH].road
    pace = f"AWS's waits pass at {road.cloud.time_scale:g} of their length." if road.cloud.endpoint else ""
    text = PAGE.read_text()
    for name, value in {"suffix": road.suffix, "cloud": road.cloud.name, "pace": pace}.items():
        text = text.replace(f"{{{{{name}}}}}", html.escape(value))
    allowed = f"{_hashes('script', text)}; {_hashes('style', text)}; connect-src 'self'; img-src data:"
    return _html(text, allowed)


def _hashes(tag: str, page: str) -> str:
    """Allow the page's own text in this tag, and nothing that got into it."""
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
    """Send every part that differs from what this reader was sent; a reader who comes again gets all."""
    watch = request.app[WATCH]
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
    sent: dict[str, str] = {}
    # A reader who has gone is no error.
    with suppress(ConnectionResetError), watch.reading():
        while not watch.ended.is_set():
            new = {name: part for name, part in watch.parts.items() if sent.get(name) != part}
            sent = watch.parts
            # JSON has no line ends of its own, so that each part is one line.
            said = "".join(f"event: {name}\ndata: {part}\n\n" for name, part in new.items())
            await response.write((said or ": nothing new\n\n").encode())
            await watch.change(sent, SILENCE_SECONDS)
    return response


async def _report(request: web.Request) -> web.StreamResponse:
    watch, execution = request.app[WATCH], request.match_info["execution"]
    text = await asyncio.to_thread(report, watch.road, execution, watch.prober)
    if text is None:
        raise web.HTTPNotFound(text=f"no release {execution} that is over")
    return _html(text, "style-src 'unsafe-inline'")
