"""What answers at AWS's hosts in a rehearsal, and passes to local_aws what it would get without a front.

A call takes a round trip, as over a wire; a fault may answer it in place of local_aws.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import requests
from aiohttp import web
from yarl import URL

from integration_tests.rehearsal import signing
from integration_tests.rehearsal.calls import Call, error, read_call

GIT_HOST = "git-codecommit.us-east-1.amazonaws.com"
GIT_PREFIX = "/v1/repos/"
QUEUE_HOST = "sqs.us-east-1.amazonaws.com"
REGION = "us-east-1"
LARGEST_BODY = 256 * 1024 * 1024
ROUND_TRIP_SECONDS = 0.09
S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")
SESSION = re.compile(
    r"<AccessKeyId>(?P<key>[^<]+)</AccessKeyId>\s*<SecretAccessKey>(?P<secret>[^<]+)</SecretAccessKey>"
)
# Of one connection, or what aiohttp sets: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
DROPPED = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive", "expect"})

Fault = Callable[[Call], web.Response | None]


@dataclass
class Front:
    """AWS's hosts in front of local_aws at `endpoint`; `secrets` are those of the access keys.

    Each fault sees every call and may answer it. `hidden` are load balancers whose names do not resolve yet.
    """

    endpoint: str
    secrets: dict[str, str]
    round_trip: float = ROUND_TRIP_SECONDS
    faults: list[Fault] = field(default_factory=list)
    hidden: Callable[[str], bool] = field(default=lambda _name: False)

    def application(self) -> web.Application:
        """Return what serves the hosts of APIs and of CodeCommit's git."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._respond)
        return app

    def listeners(self) -> dict[str, str]:
        """Return the loopback address of each listener, `{"<dns name>:<port>": "127.0.0.1:<port>"}`."""
        found: dict[str, str] = requests.get(f"{self.endpoint}/_local_aws/listeners", timeout=10).json()
        return {name.lower(): address for name, address in found.items()}

    def balancers(self) -> set[str]:
        """Return the names of load balancers that resolve."""
        names = {listener.rpartition(":")[0] for listener in self.listeners()}
        return {name for name in names if not self.hidden(name)}

    async def relay(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a connection to the load balancer that its first request names."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            host = re.search(rb"\r\nhost:\s*([^\s:]+)", head, re.IGNORECASE)
            name = f"{host[1].decode().lower() if host else ''}:{port}"
            address = (await asyncio.to_thread(self.listeners)).get(name)
            if address is not None:
                # Its handshake took a round trip.
                await asyncio.sleep(self.round_trip)
                await self._connect(address, head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            # A client or a load balancer that closes its connection ends the relay.
            pass
        finally:
            writer.close()

    async def _connect(
        self, address: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        back, forth = await asyncio.open_connection(*address.split(":"))
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, forth, head, self.round_trip))
            group.create_task(_copy(back, writer, b"", 0))

    async def _respond(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.round_trip)
        host = (urlsplit(f"//{request.host}").hostname or "").lower()
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if host == GIT_HOST:
            return await self._git(request, headers, body)
        signed = signing.parse(headers.get("authorization", ""))
        target, _, query = request.raw_path.partition("?")
        path = _path(host, target)
        url = f"{self.endpoint}{path}{f'?{query}' if query else ''}"
        if signed is None:
            return await self._forward(request.method, url, headers, body)
        call = read_call(signed.service, request.method, path, request.headers, body)
        for fault in list(self.faults):
            if (answer := fault(call)) is not None:
                return answer
        secret = self.secrets.get(signed.key)
        if secret is None:
            return error(call, "UnrecognizedClientException", "The security token is invalid.", 403)
        at_aws = f"https://{request.host}{request.raw_path}"
        if signing.signature(signed, secret, request.method, at_aws, headers, body) != signed.signature:
            return error(call, "SignatureDoesNotMatch", f"The signature is not that of {at_aws}.", 403)
        made = signing.signature(signed, secret, request.method, url, headers, body)
        headers["authorization"] = headers["authorization"].replace(signed.signature, made)
        return await self._forward(request.method, url, headers, body, call)

    async def _git(self, request: web.Request, headers: dict[str, str], body: bytes) -> web.Response:
        """Pass on a request of git, whose password is for the host's name; without one, the answer is 401."""
        if given := headers.get("authorization", ""):
            user, password = signing.git_user(given)
            name = request.path.removeprefix(GIT_PREFIX).partition("/")[0]
            hosts = (GIT_HOST, urlsplit(self.endpoint).hostname or "")
            secret = self.secrets.get(user.partition("%")[0], "")
            headers["authorization"] = signing.git_authorization(
                user, password, secret, f"{GIT_PREFIX}{name}", hosts, REGION
            )
            if not headers["authorization"]:
                return web.Response(status=403, text="Forbidden\n")
        return await self._forward(request.method, f"{self.endpoint}{request.raw_path}", headers, body)

    async def _forward(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, call: Call | None = None
    ) -> web.Response:
        kept = {name: value for name, value in headers.items() if name not in DROPPED}
        # What aiohttp adds by itself is not signed, but may change what local_aws answers.
        skipped = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
        async with (
            aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=skipped) as session,
            session.request(
                method, URL(url, encoded=True), headers=kept, data=body or None, allow_redirects=False
            ) as received,
        ):
            content = await received.read()
        if call is not None:
            content = self._with_names(call, content)
        response = web.Response(status=received.status, body=content if method != "HEAD" else b"")
        for name, value in received.headers.items():
            if name.lower() not in DROPPED - ({"content-length"} if method == "HEAD" else set()):
                response.headers[name] = value
        return response

    def _with_names(self, call: Call, content: bytes) -> bytes:
        """Return a response with AWS's URLs of repositories and queues; keep the secrets of new sessions."""
        if call.service == "sts":
            for found in SESSION.finditer(content.decode()):
                self.secrets[found["key"]] = found["secret"]
        content = content.replace(
            f"{self.endpoint}{GIT_PREFIX}".encode(), f"https://{GIT_HOST}{GIT_PREFIX}".encode()
        )
        if call.service == "sqs":
            content = content.replace(self.endpoint.encode(), f"https://{QUEUE_HOST}".encode())
        return content


def _path(host: str, path: str) -> str:
    """Return the path with the bucket that a name of S3 has before it."""
    found = S3_HOST.fullmatch(host)
    return f"/{found['bucket']}{path}" if found and found["bucket"] else path


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, data: bytes, delay: float) -> None:
    try:
        while data or (data := await source.read(65536)):
            await asyncio.sleep(delay)
            sink.write(data)
            await sink.drain()
            data = b""
    finally:
        sink.close()
