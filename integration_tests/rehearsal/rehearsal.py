"""AWS in a rehearsal: local_aws outside the namespaces, AWS's names and a person's home folder inside."""

import asyncio
import os
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aiohttp import web

from harness.cloud import PROJECT, Cloud
from harness.local import local_aws as run_local_aws
from harness.local import local_cloud
from integration_tests.rehearsal.authority import Authority
from integration_tests.rehearsal.front import Front
from integration_tests.rehearsal.names import Names
from integration_tests.rehearsal.namespace import Namespace, namespace
from integration_tests.rehearsal.terminal import Terminal

# Not the region of the stacks: nothing may depend on it.
DEFAULT_REGION = "eu-west-1"


@dataclass
class Rehearsal:
    """`cloud` is local_aws seen from outside; inside the namespaces, it is AWS in front of it."""

    home: Path
    cloud: Cloud
    namespace: Namespace
    front: Front
    terminals: list[Terminal] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a shell that has none for AWS, with the PATH that docs/live.md says."""
        path = os.pathsep.join([str(PROJECT / ".venv" / "bin"), os.environ.get("PATH", os.defpath)])
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8"}

    def start(self, *words: str, folder: Path = PROJECT) -> Terminal:
        """Start a command inside."""
        path = self.home / f"terminal-{len(self.terminals)}.txt"
        terminal = Terminal(self.namespace, words, folder=folder, environment=self.environment, path=path)
        self.terminals.append(terminal)
        return terminal

    def run(self, *words: str, folder: Path = PROJECT) -> str:
        """Run a command inside; return what it prints. Raises AssertionError unless it succeeds."""
        terminal = self.start(*words, folder=folder)
        code = terminal.end()
        assert code == 0, f"{words}: exit code {code}\n{terminal.text}"
        return terminal.text

    def live(self, *arguments: str) -> Terminal:
        """Start `pytest integration_tests --live`."""
        return self.start("pytest", "integration_tests", "--live", *arguments)


@contextmanager
def rehearsal(folder: Path, time_scale: float | None = None) -> Iterator[Rehearsal]:
    """Run local_aws, whose waits take `time_scale` of AWS's, and what AWS has in front of it."""
    home = folder / "home"
    home.mkdir()
    certificates = folder / "certificates"
    certificates.mkdir()
    authority = Authority(certificates)
    with run_local_aws(folder, time_scale) as server, namespace(folder, authority.trust) as inside:
        cloud = local_cloud(server, folder)
        front = Front(server.endpoint, {cloud.keys["AWS_ACCESS_KEY_ID"]: server.secret})
        _write_profile(home, cloud, authority.trust)
        with _serving(front, inside, authority.server_context()):
            made = Rehearsal(home, cloud, inside, front)
            try:
                yield made
            finally:
                for terminal in made.terminals:
                    terminal.kill()


def _write_profile(home: Path, cloud: Cloud, trust: Path) -> None:
    """Write `~/.aws`, which all SDKs read; a company's own authority is named there, too."""
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(f"[default]\nregion = {DEFAULT_REGION}\nca_bundle = {trust}\n")
    keys = "".join(f"{name.lower()} = {value}\n" for name, value in cloud.keys.items())
    (folder / "credentials").write_text(f"[default]\n{keys}")


@contextmanager
def _serving(front: Front, inside: Namespace, context: ssl.SSLContext) -> Iterator[None]:
    """Answer on the sockets of the namespaces, in a thread of its own."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            await _listen(front, inside, context, stack)
            stop = asyncio.Event()
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="front", daemon=True)
    thread.start()
    loop, stop = started.result(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _listen(front: Front, inside: Namespace, context: ssl.SSLContext, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(partial(Names, front.balancers), sock=inside.names)
    stack.callback(names.close)
    for port, listener in inside.listeners.items():
        server = await asyncio.start_server(partial(front.relay, port), sock=listener)
        stack.callback(server.close)
    runner = web.AppRunner(front.application(), auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, inside.tls, ssl_context=context).start()
