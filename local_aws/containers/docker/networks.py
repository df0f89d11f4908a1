"""The network of each task: a container that holds it, and a relay from it to local_aws."""

import os
import socket
import threading
from pathlib import Path

from local_aws.containers import relay
from local_aws.containers.docker.command import Command, CommandError
from local_aws.containers.engine import ContainerError

# The container that holds a network runs our relay on this image's Python. The pipeline's Dockerfile starts
# from it, so a machine that can build has it.
IMAGE = "public.ecr.aws/docker/library/python:3.9-slim"

_MOUNT = "/run/local_aws"
_SOCKET = "gateway"
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


class Networks:
    """Networks of tasks. In each network, `port` on loopback is `port` on this machine's loopback."""

    def __init__(self, command: Command, folder: Path, port: int) -> None:
        self.command = command
        self.folder = folder
        self.port = port
        self._holders: dict[str, str] = {}
        self._listener = _listen(folder)
        threading.Thread(
            target=relay.forward, args=(self._listener, relay.to_port(port)), name="relay", daemon=True
        ).start()

    def create(self) -> str:
        """Create a network and return its address on the engine's bridge. Raises `ContainerError`."""
        source = Path(relay.__file__).read_text()
        try:
            holder = self.command.run(
                *("run", "--detach", "--pull", "never", *self.command.label(), "--network", "bridge"),
                *("--read-only", "--memory", "64m", "--security-opt", "label=disable"),
                *("--volume", f"{self.folder}:{_MOUNT}:ro", IMAGE),
                *("python", "-c", source, str(self.port), f"{_MOUNT}/{_SOCKET}"),
            ).split()[-1]
            address = self.command.run("inspect", "--format", _ADDRESS, holder)
        except CommandError as error:
            raise ContainerError(f"failed to set up the task's network: {error}") from error
        if not address:
            self._remove(holder)
            raise ContainerError("failed to set up the task's network: the engine assigned no address")
        self._holders[address] = holder
        return address

    def mode(self, address: str) -> str:
        """Return the value of `--network` for a container in the network."""
        if address not in self._holders:
            raise ContainerError(f"there is no network with the address {address}")
        return f"container:{self._holders[address]}"

    def remove(self, address: str) -> None:
        """Remove a network. Do nothing if it does not exist."""
        holder = self._holders.pop(address, None)
        if holder is not None:
            self._remove(holder)

    def _remove(self, holder: str) -> None:
        try:
            self.command.run(*self.command.remove(), holder)
        except CommandError:
            # The reaper removes it by its label when local_aws ends.
            return

    def close(self) -> None:
        """Close the relay. A second call does nothing."""
        if self._listener.fileno() >= 0:
            # close() alone does not wake a thread that waits in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            (self.folder / _SOCKET).unlink(missing_ok=True)


def _listen(folder: Path) -> socket.socket:
    folder.mkdir(parents=True, exist_ok=True)
    # Root inside may be another user here. The folders above are closed to other users.
    folder.chmod(0o755)
    (folder / _SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Bound by way of /proc: the kernel limits a socket's path to 108 bytes.
        listener.bind(f"/proc/self/fd/{descriptor}/{_SOCKET}")
    finally:
        os.close(descriptor)
    (folder / _SOCKET).chmod(0o666)
    listener.listen(64)
    return listener
