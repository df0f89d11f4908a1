"""Closing a listener's server closes every connection that it has accepted, whatever state it is in."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from local_aws.services.elbv2 import listener_server
from local_aws.services.elbv2.listener_server import Handler, ListenerServer, listen
from local_aws.services.elbv2.records import ElbSnapshot, Tls
from local_aws.services.elbv2.service import LoadBalancing
from local_aws.services.elbv2.tls import server_context
from unit_tests.local_aws.services.elbv2.backends import (
    answering,
    balancing,
    certificate,
    make_context,
)
from unit_tests.local_aws.services.elbv2.test_tls import POLICY, served

FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "hello"}}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    _, pem, key = certificate(tmp_path_factory.mktemp("certificate"))
    return Tls(pem, key, POLICY)


async def hello(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="hello")


@asynccontextmanager
async def serving(
    context: ssl.SSLContext | None, handler: Handler = hello
) -> AsyncIterator[tuple[ListenerServer, int]]:
    """A server and its port."""
    listening = listen(0)
    port = listening.getsockname()[1]
    server = ListenerServer(listening, handler, idle_timeout=60, tls=context)
    await server.start()
    yield server, port


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def ended(connection: socket.socket) -> bool:
    """Read what is left; say whether the server has closed the connection."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_connection_in_its_tls_handshake_is_closed(tls: Tls) -> None:
    async def scenario() -> bool:
        async with serving(server_context(tls)) as (server, port):
            with connect(port) as client:
                await until(lambda: bool(server._starting))
                await server.close()
                return await asyncio.to_thread(ended, client)

    assert asyncio.run(scenario())


def test_a_connection_that_was_just_accepted_is_closed() -> None:
    async def scenario() -> bool:
        async with serving(None) as (server, port):
            with connect(port) as client:
                server._accept()
                assert not server._server.connections, "aiohttp is not yet informed of it"
                await server.close()
                return await asyncio.to_thread(ended, client)

    assert asyncio.run(scenario())


def test_a_connection_whose_client_does_not_answer_the_end_of_tls_is_closed(tls: Tls) -> None:
    context = ssl.create_default_context(cadata=tls.certificate)

    def shake_hands(port: int) -> ssl.SSLSocket:
        return context.wrap_socket(connect(port), server_hostname="127.0.0.1")

    async def scenario() -> bool:
        async with serving(server_context(tls)) as (server, port):
            with await asyncio.to_thread(shake_hands, port) as client:
                await until(lambda: bool(server._server.connections))
                await server.close()
                # Below TLS: the end of TLS alone would read like the end of the connection.
                with socket.socket(fileno=os.dup(client.fileno())) as plain:
                    plain.settimeout(5)
                    return await asyncio.to_thread(ended, plain)

    assert asyncio.run(scenario())


def test_a_request_in_flight_gets_its_whole_response() -> None:
    size = 4_000_000
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        await answer.wait()
        return web.Response(body=b"x" * size)

    def read(client: socket.socket) -> bytes:
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        return received

    async def scenario() -> bytes:
        async with serving(None, slow) as (server, port):
            with connect(port) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asked.wait()
                closing = asyncio.create_task(server.close())
                await asyncio.sleep(0)
                answer.set()
                received = await asyncio.to_thread(read, client)
                await closing
                return received

    _, _, body = asyncio.run(scenario()).partition(b"\r\n\r\n")
    assert len(body) == size


def test_a_request_in_flight_may_take_longer_than_the_end_of_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener_server, "CLOSE_SECONDS", 0.01)
    asked = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(0.3)
        return web.Response(text="hello")

    async def scenario() -> bytes:
        async with serving(None, slow) as (server, port):
            with connect(port) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                await asked.wait()
                await server.close()
                return await asyncio.to_thread(client.recv, 65536)

    assert asyncio.run(scenario()).endswith(b"hello")


class ShortOfDescriptors:
    """A listening socket whose first `accept` fails because the process has too many open files."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.failures = 1

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return self.listening.accept()

    def fileno(self) -> int:
        return self.listening.fileno()

    def close(self) -> None:
        self.listening.close()


@pytest.mark.parametrize("closed_before_the_retry", [False, True])
def test_a_server_that_is_short_of_file_descriptors_accepts_again_later(
    monkeypatch: pytest.MonkeyPatch, closed_before_the_retry: bool
) -> None:
    monkeypatch.setattr(listener_server, "_ACCEPT_RETRY_SECONDS", 60 if closed_before_the_retry else 0.01)
    listening: Any = ShortOfDescriptors(listen(0))
    port = listening.listening.getsockname()[1]

    async def scenario() -> bytes | None:
        server = ListenerServer(listening, hello, idle_timeout=60, tls=None)
        await server.start()
        with connect(port) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await until(lambda: listening.failures == 0)
            received = None if closed_before_the_retry else await asyncio.to_thread(client.recv, 65536)
            await server.close()
            assert server._retry is not None
            assert server._retry.cancelled()
            assert await asyncio.to_thread(ended, client)
            return received

    received = asyncio.run(scenario())
    assert closed_before_the_retry or (received or b"").endswith(b"hello")


def test_a_listener_that_changes_back_at_once_is_served_again(tmp_path: Path, tls: Tls) -> None:
    with balancing(make_context(tmp_path)) as plane:
        for _ in range(5):
            plane.apply(served(answering(FIXED), tls))
            plane.apply(served(answering(FIXED), None))
            assert requests.get(f"http://127.0.0.1:{_port(plane)}/", timeout=10).text == "hello"


def test_a_listener_that_changes_to_https_closes_its_plain_connections(tmp_path: Path, tls: Tls) -> None:
    with balancing(make_context(tmp_path)) as plane:
        plane.apply(served(answering(FIXED), None))
        with connect(_port(plane)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
            plane.apply(served(answering(FIXED), tls))
            assert ended(client)


def test_a_listener_that_changes_before_it_is_served_stops_listening(tmp_path: Path, tls: Tls) -> None:
    plane = LoadBalancing(make_context(tmp_path), ElbSnapshot)
    plane.apply(served(answering(FIXED), None))
    port = _port(plane)
    plane.apply(served(answering(FIXED), tls))
    plane.start()
    try:
        with pytest.raises(ConnectionRefusedError):
            connect(port)
    finally:
        plane.stop()


def _port(plane: LoadBalancing) -> int:
    return int(plane.addresses()["lb.elb:443"].rpartition(":")[2])
