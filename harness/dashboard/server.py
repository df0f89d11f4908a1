"""Serves the fleet, and of each environment its page, its events and its reports, on loopback, read-only."""

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

from harness.cloud import Cloud, HarnessError
from harness.dashboard.environment_view import CALL_ERRORS, EnvironmentView
from harness.dashboard.fleet import Fleet
from harness.dashboard.poller import Poller
from harness.dashboard.pollers import Pollers
from harness.dashboard.reports import report

PAGE = Path(__file__).with_name("page.html")
# A comment is sent after so long without a change: it reveals a dead connection.
SILENCE_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
# On AWS every reading takes calls from the account's request rates.
LOCAL_INTERVAL, INTERVAL = 1.0, 5.0
# How long a stopping server waits for readers that stay connected.
SHUTDOWN_SECONDS = 1.0
SUFFIX = r"{suffix:[a-z0-9-]+}"
EXECUTION = r"{execution:[0-9a-f-]{36}}"

POLLERS = web.AppKey("pollers", Pollers)
FLEET = web.AppKey("fleet", Fleet)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(
    cloud: Cloud,
    listener: socket.socket,
    until: int | None,
    *,
    view: Callable[[str], EnvironmentView],
    suffix: str | None = None,
) -> None:
    """Serve on `listener` until cancelled, or until the process `until` has ended.

    `suffix` has a page before it is deployed, too.
    """
    loop = asyncio.get_running_loop()
    pollers = Pollers(view, INTERVAL if cloud.endpoint is None else LOCAL_INTERVAL, loop)
    if suffix is not None:
        pollers.open(suffix)
    app = application(Fleet(cloud), pollers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    if until is not None:
        loop.add_reader(os.pidfd_open(until), pollers.end)
    try:
        await pollers.ended.wait()
    finally:
        pollers.end()
        await runner.cleanup()


def application(fleet: Fleet, pollers: Pollers) -> web.Application:
    """Return the web application that shows the fleet, and the environments that `pollers` read."""
    app = web.Application(middlewares=[only_this_machine])
    app[FLEET], app[POLLERS] = fleet, pollers
    app.router.add_get("/", _fleet, allow_head=False)
    app.router.add_get(f"/{SUFFIX}/", _page, allow_head=False)
    app.router.add_get(f"/{SUFFIX}/events", _events, allow_head=False)
    app.router.add_get(f"/{SUFFIX}/reports/{EXECUTION}", _report, allow_head=False)
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


async def _fleet(request: web.Request) -> web.StreamResponse:
    try:
        text = await asyncio.to_thread(request.app[FLEET].page)
    except CALL_ERRORS as error:
        raise web.HTTPServiceUnavailable(text=f"no list of the environments: {error}") from error
    return _html(text, f"{_hashes('style', text)}; img-src data:")


async def _poller(request: web.Request) -> Poller:
    """Return the poller of the environment that is asked for; only one that exists gets a new poller."""
    pollers, suffix = request.app[POLLERS], request.match_info["suffix"]
    if suffix not in pollers:
        try:
            exists = await asyncio.to_thread(request.app[FLEET].has, suffix)
        except CALL_ERRORS as error:
            raise web.HTTPServiceUnavailable(text=f"no page of {suffix}: {error}") from error
        if not exists:
            raise web.HTTPNotFound(text=f"no environment {suffix}: / lists them")
    return pollers.open(suffix)


async def _page(request: web.Request) -> web.StreamResponse:
    view = (await _poller(request)).view
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
    poller = await _poller(request)
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
    poller, execution = await _poller(request), request.match_info["execution"]
    try:
        text = await asyncio.to_thread(report, poller.view, execution, poller.prober)
    except HarnessError as error:
        raise web.HTTPNotFound(text=f"no report of {execution}: {error}") from error
    except CALL_ERRORS as error:
        raise web.HTTPServiceUnavailable(text=f"no report of {execution}: {error}") from error
    if text is None:
        raise web.HTTPNotFound(text=f"no report of {execution}: no finished release has this execution")
    return _html(text, "style-src 'unsafe-inline'")
