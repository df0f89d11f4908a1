"""Runs the `docker` of a build outside of the build's sandbox: podman has no daemon, and cannot work inside.

In a user namespace, podman takes itself for rootless, and does not see its own containers and networks. The
build's process passes its words, variables, folder and open files; it ends with the exit code of the command.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local_aws.containers.docker_script import write_script
from local_aws.host.modules import module_command

SOCKET = "socket"
FOLDER = ".docker"
# Of docker, when it has not run the command.
NOT_RUN = 125
_STANDARD_FILES = (0, 1, 2)
# They would load files of the build into the command.
_NOT_TAKEN = ("LD_", "PYTHON")
_SIZE_BYTES = 4
_END_SECONDS = 5.0


class Outside:
    """Runs `command` with a build's words for each process that connects to the socket in `folder`."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.command = command
        self._file = folder / SOCKET
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._file.unlink(missing_ok=True)
        with _short(folder) as short:
            self._listener.bind(f"{short}/{SOCKET}")
        self._file.chmod(0o600)
        self._listener.listen(64)
        threading.Thread(target=self._accept, name="docker-of-a-build", daemon=True).start()

    def close(self) -> None:
        """Accept no further process."""
        # close() alone does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._file.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, ValueError):
            given, files = _receive(client)
            try:
                process = subprocess.Popen(  # noqa: S603 - ours, with the build's words
                    [*self.command, *given["words"]],
                    env=_taken(given["variables"]),
                    cwd=given["folder"],
                    stdin=files[0],
                    stdout=files[1],
                    stderr=files[2],
                )
            finally:
                for file in files:
                    os.close(file)
            threading.Thread(target=_end_with, args=(client, process), daemon=True).start()
            code = process.wait()
            client.sendall(str(code if code >= 0 else 128 - code).encode())


def _receive(client: socket.socket) -> tuple[Any, list[int]]:
    size, files, _, _ = socket.recv_fds(client, _SIZE_BYTES, len(_STANDARD_FILES))
    with client.makefile("rb") as content:
        return json.loads(content.read(int.from_bytes(size, "big"))), files


def _taken(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith(_NOT_TAKEN)}


def _end_with(client: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    """End a command whose process in the build has been killed."""
    with contextlib.suppress(OSError):
        client.recv(1)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Yield a short path of a folder: the kernel limits a socket's path to 108 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def serve(directory: Path) -> Outside:
    """Let the `docker` of a build, which is in `directory`, run outside from now on."""
    write_script(directory, "local_aws.containers.docker.outside")
    return Outside(
        directory / FOLDER, module_command("local_aws.containers.docker.build_cli", str(directory))
    )


def main(directory: str, arguments: list[str]) -> int:
    """Let one docker command run outside, and return its exit code."""
    folder = Path(directory) / FOLDER
    given = {"words": arguments, "variables": dict(os.environ), "folder": str(Path.cwd())}
    content = json.dumps(given).encode()
    size = len(content).to_bytes(_SIZE_BYTES, "big")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            with _short(folder) as short:
                server.connect(f"{short}/{SOCKET}")
            socket.send_fds(server, [size], _STANDARD_FILES)
            server.sendall(content)
            return int(server.recv(8) or NOT_RUN)
    except OSError as error:
        print(f"docker: the build has ended: {error}", file=sys.stderr)
        return NOT_RUN
