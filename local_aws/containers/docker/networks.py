"""The network of each task: a container that only holds it, as on Fargate, and the way to local_aws."""

import os
import socket
import threading
from pathlib import Path

from local_aws.containers import relay
from local_aws.containers.docker.command import Command, CommandError
from local_aws.containers.engine import ContainerError

# What holds a network runs our relay on its Python. It is the image that the road's own builds start from:
# a machine that can build has it.
IMAGE = "public.ecr.aws/docker/library/python:3.9-slim"

_PLACE = "/run/local_aws"
_FILE = "gateway"
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


class Networks:
    """Networks of tasks. In each of them `port` of its loopback is `port` of this machine's loopback."""

    def __init__(self, command: Command, folder: Path, port: int) -> None:
        self.command = command
        self.folder = folder
        self.port = port
        self._holders: dict[str, str] = {}
        self._listener = _listen(folder)
        threading.Thread(
            target=relay.forward, args=(self._listener, relay.to_port(port)), name="relay", daemon=True
        ).start()

    def make(self) -> str:
        """Make a network and return its address on the engine's bridge. Raises `ContainerError`."""
        source = Path(relay.__file__).read_text()
        try:
            holder = self.command.run(
                *("run", "--detach", "--pull", "never", *self.command.label(), "--network", "bridge"),
                *("--read-only", "--memory", "64m", "--security-opt", "label=disable"),
                *("--volume", f"{self.folder}:{_PLACE}:ro", IMAGE),
                *("python", "-c", source, str(self.port), f"{_PLACE}/{_FILE}"),
            ).split()[-1]
            address = self.command.run("inspect", "--format", _ADDRESS, holder)
        except CommandError as error:
            raise ContainerError(f"failed to set up the task's network: {error}") from error
        if not address:
            self._remove(holder)
            raise ContainerError("failed to set up the task's network: the engine gave it no address")
        self._holders[address] = holder
        return address

    def join(self, address: str) -> str:
        """Return what `--network` of a container in the network is."""
        if address not in self._holders:
            raise ContainerError(f"there is no network with the address {address}")
        return f"container:{self._holders[address]}"

    def remove(self, address: str) -> None:
        """Remove a network; does nothing when there is none."""
        holder = self._holders.pop(address, None)
        if holder is not None:
            self._remove(holder)

    def _remove(self, holder: str) -> None:
        try:
            self.command.run(*self.command.remove(), holder)
        except CommandError:
            # What is left of it goes with local_aws: the reaper finds it by its label.
            return

    def close(self) -> None:
        """Close the way out; once more does nothing."""
        if self._listener.fileno() >= 0:
            # A thread that waits in accept does not see a close.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            (self.folder / _FILE).unlink(missing_ok=True)


def _listen(folder: Path) -> socket.socket:
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever is root inside need not be root here; the folders above keep others out.
    folder.chmod(0o755)
    (folder / _FILE).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # By way of /proc, since the kernel takes no path above 108 bytes.
        listener.bind(f"/proc/self/fd/{descriptor}/{_FILE}")
    finally:
        os.close(descriptor)
    (folder / _FILE).chmod(0o666)
    listener.listen(64)
    return listener
