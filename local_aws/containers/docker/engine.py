"""The container engine of docker or podman: images from our registry, tasks in networks of their own."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_aws.containers.docker import build_cli, cleanup
from local_aws.containers.docker.command import Command, CommandError
from local_aws.containers.docker.container import CliContainer
from local_aws.containers.docker.networks import Networks
from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.registry_client import Reference, is_ecr

if TYPE_CHECKING:
    from local_aws.core.context import Context

PULL_SECONDS = 600.0


class CliEngine:
    """Containers of docker or podman."""

    def __init__(self, context: "Context", command: Command) -> None:
        self.context = context
        self.command = command
        self.name = command.name
        self.about = f"{command.name} {command.version}"
        self.folder = context.state / "containers"
        parts = urlsplit(context.endpoint)
        self.registry = parts.netloc
        self.record = cleanup.Record(self.folder)
        self.networks = Networks(command, self.folder / "network", parts.port or 80)
        self._running: dict[str, CliContainer] = {}

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image and return its id; raises `PullError` in the words of AWS.

        An image of another registry is fetched once: what is there already is taken as it is.
        """
        where = Reference.parse(reference)
        try:
            if is_ecr(where.host):
                return self._pull_ours(where, login)
            if not self._has(reference):
                self.command.run("pull", reference, seconds=PULL_SECONDS)
            return self._id(reference)
        except CommandError as error:
            said = str(error).replace(self.registry, where.host)
            raise PullError(
                f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: {said}"
            ) from error

    def _pull_ours(self, where: Reference, login: str | None) -> str:
        ours = where.at(f"{self.registry}/{where.account}")
        with _signed_in(self.registry, login) as variables:
            words = ("pull", *self.command.insecure(), ours)
            self.command.run(*words, seconds=PULL_SECONDS, variables=variables)
        found = self._id(ours)
        self.record.note_image(found)
        return found

    def _has(self, reference: str) -> bool:
        try:
            self._id(reference)
        except CommandError:
            return False
        return True

    def _id(self, reference: str) -> str:
        return self.command.run("image", "inspect", "--format", "{{.Id}}", reference)

    def config(self, image: str) -> ImageConfig:
        """Return how an image runs."""
        content = json.loads(self.command.run("image", "inspect", "--format", "{{json .Config}}", image))
        return ImageConfig.from_json(content)

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> CliContainer:
        """Start a container; raises `ContainerError`."""
        address = spec.address or self.address()

        def ended(container: CliContainer) -> None:
            self._running.pop(container.id, None)
            if spec.address is None:
                self.release(address)

        try:
            network = (address, self.networks.join(address))
            container = CliContainer(self.command, spec, network, on_line, ended)
        except ContainerError:
            if spec.address is None:
                self.release(address)
            raise
        self._running[container.id] = container
        # It may have ended before it was noted.
        if container.exit_code is not None:
            self._running.pop(container.id, None)
        return container

    def address(self) -> str:
        """Return a new address, for the containers of one task; raises `ContainerError`."""
        return self.networks.make()

    def release(self, address: str) -> None:
        """Give an address back."""
        self.networks.remove(address)

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Put a `docker` for one build into `directory`."""
        host = f"{self.context.account}.dkr.ecr.{self.context.region}.amazonaws.com"
        return build_cli.write(
            directory, self.command, self.registry, host, self.folder, privileged=privileged
        )

    def end_docker(self, directory: Path) -> None:
        """End a build's containers and forget its logins; does nothing when it has no `docker`."""
        build_cli.end(directory)

    def stop(self) -> None:
        """End every container at once; their images go last, with the reaper."""
        cleanup.remove_containers(self.command)
        for container in list(self._running.values()):
            container.wait(5)
        self.networks.close()


@contextmanager
def _signed_in(registry: str, login: str | None) -> Iterator[Mapping[str, str]]:
    """Give the variables of an engine that is signed in at `registry` and nowhere else."""
    with tempfile.TemporaryDirectory(prefix="login-") as folder:
        file = build_cli.write_logins(Path(folder), registry, login)
        yield build_cli.login_variables(file)
