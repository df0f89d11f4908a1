"""Containers as processes: the stand-in where there is no docker.

What it keeps of a container: the image's files, its variables, its programs, an address of its own, and
one life with its main process, a limit of memory. What it does not: chroot, users, a read-only root file
system, a limit of CPU.
"""

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_aws.containers.addresses import Addresses, loopback
from local_aws.containers.docker_shim import cli
from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.dockerfile_plan import base_python
from local_aws.containers.images.network import ADDRESS, ENDPOINT, LOOPBACK
from local_aws.containers.images.registry_client import Reference, Registry, RegistryError
from local_aws.containers.images.store import Image, ImageStore
from local_aws.containers.processes.container import CONTAINER_VARIABLE, ProcessContainer, ProcessPlan
from local_aws.containers.processes.environment import image_variables
from local_aws.containers.processes.memory import MemoryWatch
from local_aws.host.disk import is_full, no_space
from local_aws.host.interpreters import PythonNotFoundError
from local_aws.host.process_tags import INSTANCE_VARIABLE

if TYPE_CHECKING:
    from local_aws.core.context import Context


class Processes:
    """The container engine of this machine's own processes."""

    name = "processes"

    def __init__(self, context: "Context", about: str = "processes") -> None:
        self.context = context
        self.about = about
        self.root = context.state / "containers"
        self.store = ImageStore(self.root)
        self.addresses = Addresses(self.root / "addresses")
        # Only one local_aws holds a state folder, and at its start nothing of it runs.
        self.addresses.clear()
        self._running: dict[str, ProcessContainer] = {}
        self._dockers: set[Path] = set()
        self._memory = MemoryWatch(CONTAINER_VARIABLE, lambda: list(self._running.values()))

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image and return its id; raises `PullError` in the words of AWS."""
        try:
            return pull(self.store, self.context.endpoint, reference, login).id
        except RegistryError as error:
            raise PullError(
                "pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {reference}: {error.reason}"
            ) from error
        except PythonNotFoundError as error:
            raise PullError(f"{reference}: {error}") from error
        except OSError as error:
            if not is_full(error):
                raise
            raise PullError(no_space(error)) from error

    def config(self, image: str) -> ImageConfig:
        """Return how an image runs."""
        return self.store.image(image).config

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> ProcessContainer:
        """Start a container; raises `ContainerError`."""
        owned = spec.address is None
        address = spec.address or self.address()
        plan = make_plan(self.store, self.store.image(spec.image), spec, address, self.context.endpoint)

        def ended() -> None:
            self._running.pop(plan.id, None)
            if owned:
                self.release(address)

        try:
            container = ProcessContainer(plan, on_line, ended)
        except ContainerError:
            if owned:
                self.release(address)
            raise
        self._running[plan.id] = container
        if plan.memory:
            self._memory.start()
        # It may have ended before it was noted.
        if container.exit_code is not None:
            self._running.pop(plan.id, None)
        return container

    def address(self) -> str:
        """Return a new address, for the containers of one task."""
        return self.addresses.take()

    def release(self, address: str) -> None:
        """Give an address back."""
        self.addresses.give_back(address)

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Put a `docker` for one build into `directory`."""
        self._dockers.add(directory)
        return cli.write_executable(directory, self.context, privileged=privileged)

    def end_docker(self, directory: Path) -> None:
        """End a build's containers and forget its logins; does nothing when it has no `docker`."""
        cli.end(directory)

    def stop(self) -> None:
        """End every container at once."""
        self._memory.stop()
        for container in list(self._running.values()):
            container.kill()
        for container in list(self._running.values()):
            container.wait(5)
        for directory in self._dockers:
            cli.end(directory)


def pull(store: ImageStore, endpoint: str, reference: str, login: str | None) -> Image:
    """Fetch an image into `store`; raises `RegistryError` or `PythonNotFoundError`."""
    python = base_python(reference)
    if python is not None:
        return store.base(python)
    where = Reference.parse(reference)
    return Registry(endpoint, where, login).pull(store)


def make_plan(
    store: ImageStore, image: Image, spec: ContainerSpec, address: str, endpoint: str
) -> ProcessPlan:
    """Plan the process of a container: the image's configuration with what `spec` says instead."""
    root, config = store.unpack(image), image.config
    entrypoint = spec.entrypoint or config.entrypoint
    # Docker: a new entrypoint forgets the image's command.
    command = spec.command or (() if spec.entrypoint else config.command)
    if not (*entrypoint, *command):
        raise ContainerError("no command specified")
    directory = spec.working_directory or config.working_directory
    (root / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
    container_id = uuid.uuid4().hex + uuid.uuid4().hex
    variables: Mapping[str, str] = {
        **image_variables(root, {**config.environment, **spec.environment}),
        ADDRESS: address,
        LOOPBACK: loopback(address),
        ENDPOINT: str(urlsplit(endpoint).port or ""),
        CONTAINER_VARIABLE: container_id,
        INSTANCE_VARIABLE: os.environ.get(INSTANCE_VARIABLE, ""),
    }
    return ProcessPlan(
        container_id,
        root,
        (*entrypoint, *command),
        variables,
        directory,
        address,
        config.stop_signal,
        spec.memory,
    )
