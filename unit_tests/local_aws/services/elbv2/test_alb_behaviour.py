"""What an ALB does with a request and a response that is not like all others, over real sockets."""

import asyncio
import socket
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Handler,
    Loop,
    forwarding,
    get,
    healthy,
    says,
    target_group,
    url,
)

Raw = Callable[[bytes], bytes]


def serve(loop: Loop, plane: LoadBalancing, handler: Handler, idle: float = 60) -> Backend:
    """Serve the listener from one healthy target."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response() if request.path == "/health" else await handler(request)

    backend = Backend(loop, handle)
    group = target_group("a", backend)
    plane.apply(forwarding({group: 1}, idle))
    healthy(plane, group)
    return backend


def exchange(plane: LoadBalancing, request: bytes) -> bytes:
    """Send bytes to the listener; return what it answers until it closes the connection."""
    host, _, port = plane.addresses()["lb.elb:80"].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def raw_target(response: bytes) -> Handler:
    """Answer with these bytes."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(response)
        request.transport.close()
        return web.Response()

    return handle


def test_the_peer_of_a_target_is_not_the_address_that_servers_trust(loop: Loop, plane: LoadBalancing) -> None:
    """https://docs.gunicorn.org/en/stable/settings.html#forwarded-allow-ips ."""

    async def peer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"{request.remote} {request.headers['X-Forwarded-For']}")

    serve(loop, plane, peer)
    assert get(plane).text == "127.32.0.1 127.0.0.1"


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", ""])
def test_an_upgrade_that_is_no_websocket_is_an_ordinary_request(
    loop: Loop, plane: LoadBalancing, upgrade: str
) -> None:
    """https://github.com/lstoll/grpce/pull/19 ."""

    async def names(request: web.BaseRequest) -> web.Response:
        body = (await request.read()).decode()
        return web.Response(text=" ".join([body, *(name.lower() for name in request.headers)]))

    serve(loop, plane, names)
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": upgrade, "HTTP2-Settings": "AAMAAABk"}
    seen = get(plane, headers=headers, data=b"body").text.split()
    assert seen[0] == "body"
    assert not {"upgrade", "http2-settings"} & {*seen}


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Return each message of a WebSocket, in the first subprotocol; close with 4001 for `bye`."""
    if request.path == "/closed":
        return web.Response(status=403, text="not for you")
    assert request.headers["X-Forwarded-Proto"] == "http"
    server = web.WebSocketResponse(protocols=("chat",))
    await server.prepare(request)
    async for message in server:
        if message.data == "bye":
            await server.close(code=4001)
        elif message.type == WSMsgType.BINARY:
            await server.send_bytes(message.data)
        else:
            await server.send_str(message.data)
    return server


def test_a_websocket_is_carried(loop: Loop, plane: LoadBalancing) -> None:
    serve(loop, plane, echo)

    async def talk() -> tuple[object, ...]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url(plane), protocols=("chat",), compress=15) as client,
        ):
            await client.send_str("hello")
            first = (await client.receive()).data
            large = bytes(range(256)) * 4000
            await client.send_bytes(large)
            same = (await client.receive()).data == large
            await client.send_str("bye")
            await client.receive()
            return client.protocol, first, same, client.close_code

    assert loop.run(talk()) == ("chat", "hello", True, 4001)


def test_a_websocket_that_its_target_refuses_is_refused(loop: Loop, plane: LoadBalancing) -> None:
    serve(loop, plane, echo)
    answer = get(plane, "/closed", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert (answer.status_code, answer.text) == (403, "not for you")


def test_an_idle_websocket_is_closed_on_both_sides(loop: Loop, plane: LoadBalancing) -> None:
    ended = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        answered = await echo(request)
        ended.set()
        return answered

    serve(loop, plane, handle, idle=0.5)

    async def wait() -> WSMsgType:
        async with aiohttp.ClientSession() as session, session.ws_connect(url(plane)) as client:
            message = await client.receive(timeout=10)
        async with asyncio.timeout(10):
            await ended.wait()
        return message.type

    assert loop.run(wait()) == WSMsgType.CLOSED


def test_an_encoding_that_is_not_supported_is_not_implemented(loop: Loop, plane: LoadBalancing) -> None:
    """See HTTP 501 in ALB's user guide, "Troubleshoot your Application Load Balancers"."""
    serve(loop, plane, says("ok"))
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: %s\r\n\r\n0\r\n\r\n"
    assert exchange(plane, head % b"gzip, chunked").startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert exchange(plane, head % b"Chunked").startswith(b"HTTP/1.1 200 OK\r\n")


ADDRESSES = ", ".join(f"10.0.0.{number}" for number in range(31))


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("TRACE /", {}, "405 Method Not Allowed"),
        ("GET /", {"X-Forwarded-For": ADDRESSES}, "463 "),
        ("GET /", {f"X-{number}": "x" * 8000 for number in range(9)}, "400 Bad Request"),
        ("GET /", {"X": "x" * 17000}, "400 Bad Request"),
        ("GET /" + "x" * 17000, {}, "400 Bad Request"),
        ("GET /", {"X-Forwarded-For": ADDRESSES[10:]}, "200 OK"),
        ("GET /" + "x" * 16000, {f"X-{number}": "x" * 8000 for number in range(7)}, "200 OK"),
        ("GET /", {"X-Latin": "caf\\xe9"}, "200 OK"),
        ("PROPFIND /", {"X-Empty": ""}, "200 OK"),
    ],
)
def test_the_limits_of_a_request_are_an_albs(
    loop: Loop, plane: LoadBalancing, request_line: str, headers: dict[str, str], status: str
) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html ."""
    serve(loop, plane, says("ok"))
    lines = [f"{request_line} HTTP/1.1", "Host: x", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    received = exchange(plane, "\r\n".join([*lines, "", ""]).encode("latin-1"))
    assert received.split(b"\r\n")[0].decode().partition(" ")[2] == status
    assert (b"Server: awselb/2.0" in received) == (status != "200 OK")


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X: %s\r\n" % (b"x" * 9000) * 4 + b"Content-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 17000 + b"\r\nContent-Length: 0\r\n\r\n", 502),
        (b"this is no HTTP\r\n\r\n", 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 502),
        (b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 299 Caf\xe9\r\nContent-Length: 0\r\n\r\n", 299),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999),
    ],
    ids=["all-headers", "one-header", "no-http", "101", "two-lengths", "latin", "reason", "999"],
)
def test_a_response_that_an_alb_does_not_forward_is_502_and_any_other_is_forwarded(
    loop: Loop, plane: LoadBalancing, response: bytes, status: int
) -> None:
    serve(loop, plane, raw_target(response))
    received = exchange(plane, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.split(b" ", 2)[1] == b"%d" % status


@pytest.mark.parametrize("length", [2, 100_000])
def test_nothing_is_added_to_what_a_target_says_of_its_body(
    loop: Loop, plane: LoadBalancing, length: int
) -> None:
    body = b"x" * length
    serve(loop, plane, raw_target(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, body)))
    answer = get(plane)
    assert answer.content == body
    assert not {"Content-Type", "Server"} & {*answer.headers}


def test_the_page_of_an_error_has_the_type_of_an_albs(plane: LoadBalancing) -> None:
    plane.apply(forwarding({target_group("empty"): 1}))
    answer = get(plane)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html")
