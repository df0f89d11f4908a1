"""Real git clients against the smart HTTP application, on a loopback port."""

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.types import Receive, Scope, Send

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codecommit import git_http
from local_aws.services.codecommit.service import CodeCommit

Events = list[dict[str, Any]]


class Server:
    """The application served, with its CodeCommit behind it."""

    def __init__(self, state: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.events: Events = []
        self.encodings: set[bytes] = set()
        context = Context(
            state, self.endpoint, Clock(), "test", lambda _s, _t, _r, detail: self.events.append(detail)
        )
        self.codecommit = CodeCommit(context)
        self.codecommit.call("CreateRepository", {"repositoryName": "repository-dev"})
        self.url = f"{self.endpoint}/v1/repos/repository-dev"

    def run(self, stopped: threading.Event) -> None:
        config = Config()
        config.bind = [f"fd://{self.listener.fileno()}"]
        config.loglevel = "CRITICAL"

        async def trigger() -> None:
            await asyncio.to_thread(stopped.wait)

        asyncio.run(serve(self.answer, config, shutdown_trigger=trigger))  # type: ignore[arg-type]

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.encodings |= {value for name, value in scope.get("headers", []) if name == b"content-encoding"}
        self.encodings |= {value for name, value in scope.get("headers", []) if name == b"transfer-encoding"}
        if scope["type"] == "http":
            await git_http.GitHttp(self.codecommit)(scope, receive, send)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "state")
    stopped = threading.Event()
    thread = threading.Thread(target=server.run, args=(stopped,))
    thread.start()
    yield server
    stopped.set()
    thread.join(10)
    # Hypercorn has closed the socket's number already.
    server.listener.detach()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    return path


def git(cwd: Path, *arguments: str, fails: bool = False) -> str:
    person = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    result = subprocess.run(  # noqa: S603 - git, on a temporary folder
        ["git", *arguments],  # noqa: S607
        cwd=cwd,
        env=environment | person,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode != 0) == fails, result.stderr
    return result.stderr if fails else result.stdout.strip()


def add(work: Path, name: str, content: bytes) -> str:
    (work / name).write_bytes(content)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", name)
    return git(work, "rev-parse", "HEAD")


def announced(server: Server, number: int) -> list[tuple[str, str]]:
    deadline = time.monotonic() + 5
    while len(server.events) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    return [(event["event"], event["referenceFullName"]) for event in server.events]


def test_what_is_pushed_is_cloned_and_announced(server: Server, work: Path, tmp_path: Path) -> None:
    commit = add(work, "a.txt", b"hello")
    git(work, "push", "--quiet", server.url, "main")
    git(tmp_path, "clone", "--quiet", server.url, "clone")
    assert (tmp_path / "clone" / "a.txt").read_bytes() == b"hello"
    assert announced(server, 1) == [("referenceCreated", "refs/heads/main")]
    assert server.events[0]["commitId"] == commit
    add(work, "b.txt", b"more")
    git(work, "tag", "--annotate", "--message", "x", "v1")
    git(work, "push", "--quiet", server.url, "main", "v1", "HEAD:refs/heads/other")
    assert sorted(announced(server, 4)[1:]) == [
        ("referenceCreated", "refs/heads/other"),
        ("referenceCreated", "refs/tags/v1"),
        ("referenceUpdated", "refs/heads/main"),
    ]
    git(tmp_path / "clone", "pull", "--quiet")
    assert (tmp_path / "clone" / "b.txt").exists()


def test_a_large_push_comes_in_chunks_and_arrives_whole(server: Server, work: Path, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    add(work, "large.bin", content)
    git(work, "push", "--quiet", server.url, "main")
    git(tmp_path, "clone", "--quiet", server.url, "clone")
    assert (tmp_path / "clone" / "large.bin").read_bytes() == content
    assert b"chunked" in server.encodings


def test_a_fetch_with_a_long_history_is_compressed_and_understood(
    server: Server, work: Path, tmp_path: Path
) -> None:
    add(work, "a", b"1")
    git(work, "push", "--quiet", server.url, "main")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet", "--initial-branch=own")
    for number in range(40):
        git(other, "commit", "--quiet", "--allow-empty", "--message", str(number))
    git(other, "fetch", "--quiet", server.url, "main")
    assert git(other, "show", "FETCH_HEAD:a") == "1"
    assert b"gzip" in server.encodings


def test_a_push_that_is_refused_changes_and_announces_nothing(server: Server, work: Path) -> None:
    add(work, "a", b"1")
    git(work, "push", "--quiet", server.url, "main")
    add(work, "a", b"2")
    git(work, "push", "--quiet", server.url, "main")
    announced(server, 2)
    git(work, "reset", "--quiet", "--hard", "HEAD~1")
    add(work, "a", b"3")
    assert "non-fast-forward" in git(work, "push", server.url, "main", fails=True)
    git(work, "push", server.url, "--delete", "main", fails=True)
    time.sleep(0.1)
    assert len(server.events) == 2


def test_an_unknown_repository_is_reported_by_git_as_not_found(server: Server, work: Path) -> None:
    url = f"{server.endpoint}/v1/repos/nowhere"
    assert f"repository '{url}/' not found" in git(work, "ls-remote", url, fails=True)
    git(work, "ls-remote", server.url)


@pytest.mark.parametrize(
    "path", ["config", "HEAD", "objects/info/packs", "../../etc/passwd", "codecommit.json"]
)
def test_no_file_of_a_repository_is_served(server: Server, path: str) -> None:
    with socket.create_connection(server.listener.getsockname()) as client:
        client.sendall(
            f"GET /v1/repos/repository-dev/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert client.recv(100).startswith(b"HTTP/1.1 404")


def test_the_users_own_git_settings_and_hooks_have_no_effect(
    server: Server, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = server.codecommit.find("repository-dev").git.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (tmp_path / ".gitconfig").write_text("[receive]\n\tdenyAll = broken\n[http]\n\treceivepack = false\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    add(work, "a", b"1")
    git(work, "push", "--quiet", server.url, "main")


def test_a_git_process_is_reaped_by_asyncio_alone(
    server: Server, work: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio warns "Unknown child process pid" when another call reaped the process before its watcher."""
    waitpid = os.waitpid

    def slow_waitpid(pid: int, options: int) -> tuple[int, int]:
        time.sleep(0.1)
        return waitpid(pid, options)

    # The watcher looks it up at each call; subprocess.Popen, which would reap first, has its own reference.
    monkeypatch.setattr(os, "waitpid", slow_waitpid)
    git(work, "ls-remote", server.url)
    git(work, "ls-remote", server.url)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
