"""Bodies pass the load balancer as they arrive."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import requests
from aiohttp import web

from local_aws.services.elbv2.service import LoadBalancing
from unit_tests.local_aws.services.elbv2.backends import (
    Backend,
    Loop,
    forwarding,
    get,
    target_group,
    url,
)


def test_large_bodies_stream_both_ways(loop: Loop, plane: LoadBalancing) -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Length": request.headers.get("Content-Length", "chunked")})
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    plane.apply(forwarding({target_group("a", Backend(loop, echo)): 1}))
    body = b"0123456789" * 300_000
    answer = requests.post(url(plane), data=body, timeout=20)
    assert (answer.content == body, answer.headers["X-Length"]) == (True, str(len(body)))
    chunked = requests.post(url(plane), data=iter([body[:100], body[100:]]), timeout=20)
    assert (chunked.content == body, chunked.headers["X-Length"]) == (True, "chunked")


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "200000"}, {"Content-Length": "10"}])
def test_a_response_is_not_buffered(loop: Loop, plane: LoadBalancing, headers: dict[str, str]) -> None:
    """The client has the beginning before the target has sent the end, whatever the length."""
    size = int(headers.get("Content-Length", 10))
    received = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/health":
            return web.Response()
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b"x")
        await received.wait()
        await response.write(b"x" * (size - 1))
        return response

    async def receive() -> int:
        async with aiohttp.ClientSession() as session, session.get(url(plane)) as answer:
            first = await answer.content.readexactly(1)
            received.set()
            return len(first + await answer.read())

    plane.apply(forwarding({target_group("a", Backend(loop, slow)): 1}))
    try:
        assert loop.run(receive(), timeout=10) == size
    finally:
        loop.loop.call_soon_threadsafe(received.set)


def test_a_request_is_not_buffered(loop: Loop, plane: LoadBalancing) -> None:
    """The target has the beginning before the client has sent the end."""
    received = asyncio.Event()

    async def read(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/health":
            return web.Response()
        first = await request.content.readexactly(1)
        received.set()
        return web.Response(body=first + await request.content.read())

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await received.wait()
        yield b"y"

    async def send() -> bytes:
        async with aiohttp.ClientSession() as session, session.post(url(plane), data=body()) as answer:
            return await answer.read()

    plane.apply(forwarding({target_group("a", Backend(loop, read)): 1}))
    assert loop.run(send(), timeout=10) == b"xy"


def test_a_truncated_response_is_truncated_for_the_client_too(loop: Loop, plane: LoadBalancing) -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x" * 100_000)
        assert request.transport is not None
        request.transport.abort()
        return response

    plane.apply(forwarding({target_group("a", Backend(loop, broken)): 1}))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        get(plane)
