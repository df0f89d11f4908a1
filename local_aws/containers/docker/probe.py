"""Finds out whether docker or podman can do what the road needs, by doing it once."""

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

# What a task is: it reaches local_aws on its loopback, and is reached on its address.
_SERVICE = f"""
import socket, sys
word = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10).recv(99)
listener = socket.socket()
listener.bind(("", {PORT}))
listener.listen()
while True:
    listener.accept()[0].sendall(word)
"""


class EngineUnusableError(Exception):
    """The engine cannot be used; the text says which, and why."""


def find_command(name: str, instance: str) -> Command:
    """Return the command of `docker` or `podman`, if it answers. Raises `EngineUnusableError`."""
    path = shutil.which(name)
    if path is None:
        raise EngineUnusableError(f"{name} is not installed")
    try:
        return _answering(path, instance)
    except CommandError as error:
        raise EngineUnusableError(f"{name}: {error}") from error


def run_trial_task(command: Command) -> None:
    """Run a task as ECS will, with what its image needs pulled before. Raises `EngineUnusableError`."""
    try:
        _fetch_image(command)
        _run_a_task(command)
    except (CommandError, ContainerError, OSError) as error:
        raise EngineUnusableError(f"{command.name} cannot run a task: {error}") from error


def _answering(path: str, instance: str) -> Command:
    """Return the command of an engine that answers."""
    bare = Command(path, podman=False, version="", instance=instance)
    # podman-docker is podman under the name of docker.
    podman = "podman" in bare.run("--version", seconds=ANSWER_SECONDS).lower()
    if podman:
        version = bare.run("info", "--format", "{{.Version.Version}}", seconds=ANSWER_SECONDS)
        return Command(path, podman, version, instance)
    # Whatever configuration folder a build gets, it speaks to the daemon that the user's own leads to.
    words = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    host = os.environ.get("DOCKER_HOST") or bare.run(*words, seconds=ANSWER_SECONDS)
    command = Command(path, podman, "", instance, host)
    server = json.loads(command.run("version", "--format", "{{json .Server}}", seconds=ANSWER_SECONDS))
    if not server:
        raise CommandError("no daemon answers")
    if any("podman" in part.get("Name", "").lower() for part in server.get("Components") or ()):
        raise CommandError("it speaks to podman, which needs its own command")
    return Command(path, podman, server["Version"], instance, host)


def _fetch_image(command: Command) -> None:
    try:
        command.run("image", "inspect", IMAGE)
    except CommandError:
        try:
            command.run("pull", IMAGE, seconds=PULL_SECONDS)
        except CommandError as error:
            raise CommandError(f"it has no {IMAGE} and cannot pull it: {error}") from error


def _run_a_task(command: Command) -> None:
    word = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=_say, args=(server, word), daemon=True).start()
        networks = Networks(command, Path(folder), port)
        address = ""
        container = None
        lines: list[str] = []
        try:
            address = networks.make()
            spec = ContainerSpec(
                *(IMAGE, "probe", ("python", "-c", _SERVICE, str(port))),
                user="10001:10001",
                read_only=True,
                memory=64,
                cpu=256,
            )
            network = (address, networks.join(address))
            container = CliContainer(command, spec, network, lines.append, _ignore)
            _ask(address, word, container, lines)
        finally:
            if container is not None:
                container.kill()
                container.wait(TRY_SECONDS)
            networks.remove(address)
            networks.close()


def _say(server: socket.socket, word: str) -> None:
    try:
        client, _ = server.accept()
        with client:
            client.sendall(word.encode())
    except OSError:
        # Nobody came, and it was closed.
        return


def _ask(address: str, word: str, container: CliContainer, lines: list[str]) -> None:
    deadline = time.monotonic() + TRY_SECONDS
    said = "nothing"
    while time.monotonic() < deadline and container.exit_code is None:
        try:
            with socket.create_connection((address, PORT), timeout=2) as client:
                if client.recv(99).decode(errors="replace") == word:
                    return
                said = "another's answer"
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    if container.exit_code is not None:
        raise ContainerError(reason("\n".join(lines)) or f"it ended with {container.exit_code}")
    raise ContainerError(f"{address} cannot be reached from here ({said}): is the engine rootless or remote?")


def _ignore(_: CliContainer) -> None:
    """Nobody waits for a probe's end."""
