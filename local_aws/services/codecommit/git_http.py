"""Git's smart HTTP protocol on /v1/repos/<name>: clone, fetch and push, by `git http-backend`.

`GitHttp` is the ASGI application that the gateway mounts.
"""

import asyncio
import re
from pathlib import Path
from typing import Protocol

from starlette.types import Receive, Scope, Send

from local_aws.services.codecommit.git_repository import environment

# What a git client asks for, and nothing else: no file of a repository can be named.
REQUEST = re.compile(r"/v1/repos/(?P<name>[^/]+)/(?P<what>info/refs|git-upload-pack|git-receive-pack)")
CHUNK = 64 * 1024


class Repositories(Protocol):
    """What the protocol needs of CodeCommit. `pushed` runs after every push, whatever came of it."""

    def git_directory(self, name: str) -> Path | None: ...

    def pushed(self, name: str) -> None: ...


class GitHttp:
    """The ASGI application over `repositories`."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a git client."""
        match = REQUEST.fullmatch(scope["path"])
        if match is None:
            await _answer(send, 404, "not found")
            return
        name = match["name"]
        directory = await asyncio.to_thread(self.repositories.git_directory, name)
        if directory is None:
            # git prints: fatal: repository '...' not found
            await _answer(send, 404, f"repository {name} does not exist")
            return
        try:
            await _backend(scope, receive, send, directory, match["what"])
        finally:
            if match["what"] == "git-receive-pack":
                await asyncio.to_thread(self.repositories.pushed, name)


async def _backend(scope: Scope, receive: Receive, send: Send, directory: Path, what: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_variables(scope, directory, what),
    )
    feeding = asyncio.create_task(_feed(receive, process))
    try:
        await _relay(process, send)
    finally:
        feeding.cancel()
        if process.returncode is None:
            # The client went away in the middle; a half push changes no ref.
            process.terminate()
        await process.wait()


def _variables(scope: Scope, directory: Path, what: str) -> dict[str, str]:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    variables = environment(directory.parent) | {
        "GIT_PROJECT_ROOT": str(directory.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{directory.name}/{what}",
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": "git",
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
    }
    if "content-encoding" in headers:
        variables["HTTP_CONTENT_ENCODING"] = headers["content-encoding"]
    # A chunked body (a large push) has no length: then the backend reads to the end.
    if "content-length" in headers:
        variables["CONTENT_LENGTH"] = headers["content-length"]
    return variables


async def _feed(receive: Receive, process: asyncio.subprocess.Process) -> None:
    if process.stdin is None:
        raise RuntimeError("git http-backend was started without a standard input")
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                process.terminate()
                return
            process.stdin.write(message.get("body", b""))
            await process.stdin.drain()
            if not message.get("more_body", False):
                break
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError, ProcessLookupError):
        # The backend has said all that it had to say (a refusal) and does not read on.
        return


async def _relay(process: asyncio.subprocess.Process, send: Send) -> None:
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
        await _answer(send, 500, "git http-backend gave no answer")
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, message: str) -> None:
    body = message.encode() + b"\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
