"""Git's smart HTTP protocol on /v1/repos/<name>: clone, fetch and push, by `git http-backend`.

`GitHttp` is the ASGI application that the gateway mounts.
"""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from local_aws.services.codecommit.git_access import (
    Denial,
    NotAPushError,
    Push,
    denied_references,
    read_push,
    report,
)
from local_aws.services.codecommit.git_repository import git_environment

# The paths of smart HTTP only: a request cannot name a file of a repository.
REQUEST = re.compile(r"/v1/repos/(?P<name>[^/]+)/(?P<endpoint>info/refs|git-upload-pack|git-receive-pack)")
CHUNK = 64 * 1024
# What a client asks for that reads why a reference is not updated.
REPORTS = {"report-status", "report-status-v2"}


# (authorization, path, host) -> the access key of the caller, or None.
GitCaller = Callable[[str, str, str], str | None]


def _anybody(_authorization: str, _path: str, _host: str) -> str | None:
    """Admit everybody: a unit test has no IAM."""
    return ""


def _no_denial(_access_key: str, _action: str, _repository: str, _reference: str) -> str | None:
    """Allow everything: a unit test has no IAM."""
    return None


class RepositoryStore(Protocol):
    """The repositories to serve. `pushed` is called after every push, successful or not."""

    def git_directory(self, name: str) -> Path | None: ...

    def repository_arn(self, name: str) -> str: ...

    def pushed(self, name: str) -> None: ...


class GitHttp:
    """The ASGI application over `repositories`; `caller` authenticates a request, `denial` is IAM's answer.

    By default, both admit everybody: a unit test has no IAM.
    """

    def __init__(
        self, repositories: RepositoryStore, caller: GitCaller = _anybody, denial: Denial = _no_denial
    ) -> None:
        self.repositories = repositories
        self.caller = caller
        self.denial = denial

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a git client."""
        match = REQUEST.fullmatch(scope["path"])
        if match is None:
            await _respond(send, 404, "not found")
            return
        name = match["name"]
        key = await self._authenticate(scope, send, name)
        if key is None:
            return
        directory = await asyncio.to_thread(self.repositories.git_directory, name)
        if directory is None:
            # git prints: fatal: repository '...' not found
            await _respond(send, 404, f"repository {name} does not exist")
            return
        allowed = await self._authorize(scope, receive, send, match, key)
        if allowed is None:
            return
        try:
            await _run_backend(scope, allowed, send, directory, match["endpoint"])
        finally:
            if match["endpoint"] == "git-receive-pack":
                await asyncio.to_thread(self.repositories.pushed, name)

    async def _authenticate(self, scope: Scope, send: Send, name: str) -> str | None:
        """Return the access key of the caller; respond to a request without one, and return None."""
        headers = _headers(scope)
        given = headers.get("authorization", "")
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        key = await asyncio.to_thread(self.caller, given, f"/v1/repos/{name}", host)
        if key is None:
            status = HTTPStatus.FORBIDDEN if given else HTTPStatus.UNAUTHORIZED
            await _respond(send, status, status.phrase)
        return key

    async def _authorize(
        self, scope: Scope, receive: Receive, send: Send, match: re.Match[str], key: str
    ) -> Receive | None:
        """Return what receives the body of an allowed request; respond to a denied one, and return None."""
        headers, endpoint = _headers(scope), match["endpoint"]
        arn = await asyncio.to_thread(self.repositories.repository_arn, match["name"])
        pushing = "git-receive-pack" in f"{endpoint} {scope.get('query_string', b'')!r}"
        deny = partial(self.denial, key, "codecommit:GitPush" if pushing else "codecommit:GitPull", arn)
        if endpoint != "git-receive-pack":
            reason = await asyncio.to_thread(deny, "")
            if reason is not None:
                await _respond(send, 403, reason)
                return None
            return receive
        try:
            if "content-encoding" in headers:
                raise NotAPushError("local_aws does not read a compressed push")
            push, receive_again = await read_push(receive)
        except NotAPushError as error:
            await _respond(send, 400, str(error))
            return None
        denied = await denied_references(push, deny)
        if not denied:
            return receive_again
        await _respond_to_push(receive_again, send, push, denied)
        return None


async def _respond_to_push(receive: Receive, send: Send, push: Push, denied: Mapping[str, str]) -> None:
    """Say why a push is denied, once the client has sent all of it."""
    if not push.references or not REPORTS & push.capabilities:
        await _respond(send, 403, next(iter(denied.values())))
        return
    while (message := await receive()).get("more_body", False):
        if message["type"] == "http.disconnect":
            return
    headers = [(b"content-type", b"application/x-git-receive-pack-result")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": report(push, denied)})


async def _run_backend(scope: Scope, receive: Receive, send: Send, directory: Path, endpoint: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_cgi_environment(scope, directory, endpoint),
    )
    body_task = asyncio.create_task(_send_body(receive, process))
    complete = False
    try:
        await _send_output(process, send)
        complete = True
    finally:
        body_task.cancel()
        if not complete:
            # The client disconnected; an incomplete push changes no reference.
            _terminate(process)
        await process.wait()


def _terminate(process: asyncio.subprocess.Process) -> None:
    # Not process.terminate(): before it sends the signal it polls, and that reaps a process which has just
    # exited. asyncio's watcher then logs "Unknown child process pid" and returns 255 as the exit status.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)


def _cgi_environment(scope: Scope, directory: Path, endpoint: str) -> dict[str, str]:
    headers = _headers(scope)
    variables = git_environment(directory.parent) | {
        "GIT_PROJECT_ROOT": str(directory.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{directory.name}/{endpoint}",
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": "git",
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
    }
    if "content-encoding" in headers:
        variables["HTTP_CONTENT_ENCODING"] = headers["content-encoding"]
    # A chunked body (a large push) has no length: the backend then reads until the end of its input.
    if "content-length" in headers:
        variables["CONTENT_LENGTH"] = headers["content-length"]
    return variables


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _send_body(receive: Receive, process: asyncio.subprocess.Process) -> None:
    if process.stdin is None:
        raise RuntimeError("git http-backend was started without a standard input")
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                _terminate(process)
                return
            process.stdin.write(message.get("body", b""))
            await process.stdin.drain()
            if not message.get("more_body", False):
                break
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        # The backend has answered (with an error) and reads no further.
        return


async def _send_output(process: asyncio.subprocess.Process, send: Send) -> None:
    if process.stdout is None:
        raise RuntimeError("git http-backend was started without a standard output")
    status, headers = 200, []
    while line := (await process.stdout.readline()).strip():
        name, _, value = line.partition(b": ")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value))
    if not headers:
        await _respond(send, 500, "git http-backend returned no response")
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _respond(send: Send, status: int, message: str) -> None:
    body = message.encode() + b"\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    if status == HTTPStatus.UNAUTHORIZED:
        # git then asks its credential helper.
        headers.append((b"www-authenticate", b'Basic realm="AWS CodeCommit"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
