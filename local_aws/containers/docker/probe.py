"""Checks whether docker or podman can run a task, by running one."""

import json
import os
import shutil
import socket
import tempfile
import threading
import time
import uuid
from pathlib import Path

from local_aws.containers.docker.command import Command, CommandError, reason
from local_aws.containers.docker.container import CliContainer
from local_aws.containers.docker.networks import IMAGE, Networks
from local_aws.containers.engine import ContainerError, ContainerSpec

ANSWER_SECONDS = 10.0
PULL_SECONDS = 60.0
TRY_SECONDS = 20.0
PORT = 8000

# A task reaches local_aws on its loopback, and serves on its address.
_SERVICE = f"""
import socket, sys
token = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10).recv(99)
listener = socket.socket()
listener.bind(("", {PORT}))
listener.listen()
while True:
    listener.accept()[0].sendall(token)
"""


class EngineUnusableError(Exception):
    """The engine cannot be used. The text says which, and why."""


def find_command(name: str, instance: str) -> Command:
    """Return the command of `docker` or `podman`. Raises `EngineUnusableError` if it does not respond."""
    path = shutil.which(name)
    if path is None:
        raise EngineUnusableError(f"{name} is not installed")
    try:
        return _working_command(path, instance)
    except CommandError as error:
        raise EngineUnusableError(f"{name}: {error}") from error


def run_trial_task(command: Command) -> None:
    """Run a task as ECS does, after pulling its image. Raises `EngineUnusableError`."""
    try:
        _fetch_image(command)
        _run_task(command)
    except (CommandError, ContainerError, OSError) as error:
        raise EngineUnusableError(f"{command.name} cannot run a task: {error}") from error


def _working_command(path: str, instance: str) -> Command:
    bare = Command(path, podman=False, version="", instance=instance)
    # The package podman-docker installs podman as `docker`.
    podman = "podman" in bare.run("--version", seconds=ANSWER_SECONDS).lower()
    if podman:
        version = bare.run("info", "--format", "{{.Version.Version}}", seconds=ANSWER_SECONDS)
        return Command(path, podman, version, instance)
    # A build has a configuration folder of its own, but uses the daemon of the user's configuration.
    words = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    host = os.environ.get("DOCKER_HOST") or bare.run(*words, seconds=ANSWER_SECONDS)
    command = Command(path, podman, "", instance, host)
    server = json.loads(command.run("version", "--format", "{{json .Server}}", seconds=ANSWER_SECONDS))
    if not server:
        raise CommandError("no daemon responds")
    if any("podman" in part.get("Name", "").lower() for part in server.get("Components") or ()):
        raise CommandError("it is connected to podman, which needs its own command")
    return Command(path, podman, server["Version"], instance, host)


def _fetch_image(command: Command) -> None:
    try:
        command.run("image", "inspect", IMAGE)
    except CommandError:
        try:
            command.run("pull", IMAGE, seconds=PULL_SECONDS)
        except CommandError as error:
            raise CommandError(f"it has no {IMAGE} and cannot pull it: {error}") from error


def _run_task(command: Command) -> None:
    token = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=_send_token, args=(server, token), daemon=True).start()
        networks = Networks(command, Path(folder), port)
        address = ""
        container = None
        lines: list[str] = []
        try:
            address = networks.create()
            spec = ContainerSpec(
                *(IMAGE, "probe", ("python", "-c", _SERVICE, str(port))),
                user="10001:10001",
                read_only=True,
                memory=64,
                cpu=256,
            )
            network = (address, networks.mode(address))
            container = CliContainer(command, spec, network, lines.append, _on_exit)
            _check_response(address, token, container, lines)
        finally:
            if container is not None:
                container.kill()
                container.wait(TRY_SECONDS)
            networks.remove(address)
            networks.close()


def _send_token(server: socket.socket, token: str) -> None:
    try:
        client, _ = server.accept()
        with client:
            client.sendall(token.encode())
    except OSError:
        # The socket was closed without a connection.
        return


def _check_response(address: str, token: str, container: CliContainer, lines: list[str]) -> None:
    deadline = time.monotonic() + TRY_SECONDS
    result = "no response"
    while time.monotonic() < deadline and container.exit_code is None:
        try:
            with socket.create_connection((address, PORT), timeout=2) as client:
                if client.recv(99).decode(errors="replace") == token:
                    return
                result = "the response of another server"
        except OSError as error:
            result = str(error)
        time.sleep(0.1)
    if container.exit_code is not None:
        raise ContainerError(reason("\n".join(lines)) or f"it ended with {container.exit_code}")
    raise ContainerError(
        f"{address} cannot be reached from this machine ({result}): is the engine rootless or remote?"
    )


def _on_exit(_: CliContainer) -> None:
    """Ignore the end of the container: `_check_response` reads its exit code."""
