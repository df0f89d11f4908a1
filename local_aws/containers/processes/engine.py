"""The container engine that runs containers as processes, for a machine without Docker.

A container gets the image's files, variables and programs, an address of its own and a memory limit, and
ends with its main process. It gets no chroot, user, read-only root file system or CPU limit.
"""

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from local_aws.containers.addresses import Addresses, loopback
from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.dockerfile_plan import base_python
from local_aws.containers.images.environment import image_variables
from local_aws.containers.images.network import ADDRESS, ENDPOINT, LOOPBACK
from local_aws.containers.images.registry_client import PlatformError, Reference, Registry, RegistryError
from local_aws.containers.images.store import Image, ImageStore
from local_aws.containers.processes.container import CONTAINER_VARIABLE, ProcessContainer, ProcessPlan
from local_aws.containers.processes.memory import MemoryWatch
from local_aws.host.disk import is_full, no_space
from local_aws.host.interpreters import PythonNotFoundError
from local_aws.host.process_tags import INSTANCE_VARIABLE

if TYPE_CHECKING:
    from local_aws.core.context import Context


class BuildDocker(Protocol):
    """Gives builds a `docker` command. `docker_shim` implements it, and imports this module."""

    def write(self, directory: Path, *, privileged: bool) -> Path:
        """Write `docker` into a directory and return its path."""

    def remove(self, directory: Path) -> None:
        """Kill a build's containers and remove its `docker`. Do nothing if the directory has none."""


class ProcessEngine:
    """The container engine of this machine's own processes."""

    name = "processes"

    def __init__(self, context: "Context", build_docker: BuildDocker, about: str = "processes") -> None:
        self.context = context
        self.build_docker = build_docker
        self.about = about
        self.root = context.work / "containers"
        self.store = ImageStore(self.root)
        self.addresses = Addresses(self.root / "addresses")
        # Only one local_aws uses a state folder, and no container of an earlier one survives it.
        self.addresses.clear()
        self._running: dict[str, ProcessContainer] = {}
        self._dockers: set[Path] = set()
        self._memory = MemoryWatch(CONTAINER_VARIABLE, lambda: list(self._running.values()))

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image and return its id. Raises `PullError` with AWS's message."""
        try:
            return pull(self.store, self.context.endpoint, reference, login).id
        except PlatformError as error:
            raise PullError(f"pull image manifest has been retried 1 time(s): {error.reason}.") from error
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
        """Start a container. Raises `ContainerError`."""
        owns_address = spec.address is None
        address = spec.address or self.address()
        plan = make_plan(self.store, self.store.image(spec.image), spec, address, self.context.endpoint)

        def on_exit() -> None:
            self._running.pop(plan.id, None)
            if owns_address:
                self.release(address)

        try:
            container = ProcessContainer(plan, on_line, on_exit, self.context.sandboxed)
        except ContainerError:
            if owns_address:
                self.release(address)
            raise
        self._running[plan.id] = container
        self.store.prune({each.plan.root for each in list(self._running.values())})
        if plan.memory:
            self._memory.start()
        # It may have ended before it was added.
        if container.exit_code is not None:
            self._running.pop(plan.id, None)
        return container

    def address(self) -> str:
        """Allocate an address for the containers of one task."""
        return self.addresses.allocate()

    def release(self, address: str) -> None:
        """Release an address."""
        self.addresses.release(address)

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Write a `docker` for one build into `directory`."""
        self._dockers.add(directory)
        return self.build_docker.write(directory, privileged=privileged)

    def end_docker(self, directory: Path) -> None:
        """Kill a build's containers and remove its `docker`. Do nothing if it has none."""
        self.build_docker.remove(directory)

    def stop(self) -> None:
        """Kill every container."""
        self._memory.stop()
        for container in list(self._running.values()):
            container.kill()
        for container in list(self._running.values()):
            container.wait(5)
        for directory in self._dockers:
            self.build_docker.remove(directory)


def pull(store: ImageStore, endpoint: str, reference: str, login: str | None) -> Image:
    """Fetch an image into `store`. Raises `RegistryError` or `PythonNotFoundError`."""
    python = base_python(reference)
    if python is not None:
        return store.base(python)
    where = Reference.parse(reference)
    return Registry(endpoint, where, login).pull(store)


def make_plan(
    store: ImageStore, image: Image, spec: ContainerSpec, address: str, endpoint: str
) -> ProcessPlan:
    """Plan the process of a container: the image's configuration, overridden by `spec`."""
    root, config = store.unpack(image), image.config
    entrypoint = spec.entrypoint or config.entrypoint
    # As in Docker, an entrypoint of the spec drops the image's command.
    command = spec.command or (() if spec.entrypoint else config.command)
    if not (*entrypoint, *command):
        raise ContainerError("no command specified")
    directory = spec.working_directory or config.working_directory
    (root / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
    container_id = uuid.uuid4().hex + uuid.uuid4().hex
    variables: Mapping[str, str] = {
        "HOSTNAME": container_id[:12],
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
