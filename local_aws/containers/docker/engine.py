"""Pulls images and starts containers with docker or podman."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_aws.containers.docker import build_cli, cleanup, outside
from local_aws.containers.docker.command import Command, CommandError
from local_aws.containers.docker.container import CliContainer
from local_aws.containers.docker.networks import Networks
from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.registry_client import Reference, is_ecr

if TYPE_CHECKING:
    from local_aws.core.context import Context

PULL_SECONDS = 600.0
# Of a registry, in the sentences of docker and podman.
_NOT_FOUND = re.compile("manifest unknown|name unknown")


class CliEngine:
    """Containers of docker or podman, with a network of its own for each task."""

    def __init__(self, context: "Context", command: Command) -> None:
        self.context = context
        self.command = command
        self.name = command.name
        self.about = f"{command.name} {command.version}"
        self.folder = context.work / "containers"
        parts = urlsplit(context.endpoint)
        self.registry = parts.netloc
        self.record = cleanup.Record(self.folder)
        self.networks = Networks(command, self.folder / "network", parts.port or 80)
        self._running: dict[str, CliContainer] = {}
        self._outside: dict[Path, outside.Outside] = {}

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image and return its id. Raises `PullError` with AWS's message.

        An image of another registry is fetched only if the engine does not have it.
        """
        where = Reference.parse(reference)
        try:
            if is_ecr(where.host):
                return self._pull_from_ecr(where, login)
            if not self.command.has_image(reference):
                self.command.run("pull", reference, seconds=PULL_SECONDS)
            return self._id(reference)
        except CommandError as error:
            message = str(error).replace(self.registry, where.host)
            if _NOT_FOUND.search(message):
                # As containerd says it on Fargate.
                message = f"{reference}: not found"
            raise PullError(
                "pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {reference}: {message}"
            ) from error

    def _pull_from_ecr(self, where: Reference, login: str | None) -> str:
        name = where.at(f"{self.registry}/{where.account}")
        with _logged_in(self.registry, login) as variables:
            words = ("pull", *self.command.insecure(), name)
            self.command.run(*words, seconds=PULL_SECONDS, variables=variables)
        image = self._id(name)
        self.record.add_image(image)
        return image

    def _id(self, reference: str) -> str:
        return self.command.run("image", "inspect", "--format", "{{.Id}}", reference)

    def config(self, image: str) -> ImageConfig:
        """Return how an image runs."""
        content = json.loads(self.command.run("image", "inspect", "--format", "{{json .Config}}", image))
        return ImageConfig.from_json(content)

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> CliContainer:
        """Start a container. Raises `ContainerError`."""
        address = spec.address or self.address()

        def on_exit(container: CliContainer) -> None:
            self._running.pop(container.id, None)
            if spec.address is None:
                self.release(address)

        try:
            network = (address, self.networks.mode(address))
            container = CliContainer(self.command, spec, network, on_line, on_exit)
        except ContainerError:
            if spec.address is None:
                self.release(address)
            raise
        self._running[container.id] = container
        # It may have ended before it was added.
        if container.exit_code is not None:
            self._running.pop(container.id, None)
        return container

    def address(self) -> str:
        """Allocate an address for the containers of one task. Raises `ContainerError`."""
        return self.networks.create()

    def release(self, address: str) -> None:
        """Release an address."""
        self.networks.remove(address)

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Write a `docker` for one build into `directory` and return its path."""
        host = f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com"
        path = build_cli.write(
            directory, self.command, self.registry, host, self.folder, privileged=privileged
        )
        if self.command.podman:
            self._outside[directory] = outside.serve(directory)
        return path

    def end_docker(self, directory: Path) -> None:
        """Kill a build's containers and remove its `docker`. Do nothing if it has none."""
        if directory in self._outside:
            self._outside.pop(directory).close()
        build_cli.remove(directory)

    def stop(self) -> None:
        """Kill every container. The reaper removes the images."""
        cleanup.remove_containers(self.command)
        for container in list(self._running.values()):
            container.wait(5)
        self.networks.close()


@contextmanager
def _logged_in(registry: str, login: str | None) -> Iterator[Mapping[str, str]]:
    """Return the variables of an engine that is logged in to `registry` only."""
    with tempfile.TemporaryDirectory(prefix="login-") as folder:
        file = build_cli.write_logins(Path(folder), registry, login)
        yield build_cli.login_variables(file)
