"""The interface of a container engine, for ECS tasks and for the `docker` of builds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_aws.containers.images.config import ImageConfig


class ContainerError(Exception):
    """A container could not be started. The text is the engine's, which AWS shows as well."""


class PullError(Exception):
    """An image could not be pulled. On AWS the text follows `CannotPullContainerError: `."""


@dataclass(frozen=True)
class ContainerSpec:
    """What to run. `image` is an id that `pull` returned. An empty command or entrypoint is the image's."""

    image: str
    name: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""
    # Containers of one task share its address; None allocates a new one.
    address: str | None = None
    # Processes have no isolation: they ignore both (docs/known-differences.md).
    user: str = ""
    read_only: bool = False
    # The limit in MiB, and the weight in units of 1/1024 vCPU; 0 is no limit, and no weight.
    memory: int = 0
    cpu: int = 0


class Container(Protocol):
    """A started container."""

    id: str
    address: str
    process_id: int
    # Whether it was killed for exceeding its memory limit.
    out_of_memory: bool

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + n after signal n; None while it runs."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it ends and return the exit code, or None after `timeout` real seconds."""

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Run a command inside. Return exit code and output. Raises `TimeoutError`, `ContainerError`."""

    def stop(self, timeout: float) -> int:
        """Send the stop signal to the main process, wait `timeout` real seconds, then send SIGKILL."""


class ContainerEngine(Protocol):
    """A container engine. `about` is for people: its name, its version, or why it was selected."""

    name: str
    about: str

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image (`login` is a registry's `user:password`) and return its id. Raises `PullError`."""

    def config(self, image: str) -> ImageConfig:
        """Return how an image runs."""

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> Container:
        """Start a container. `on_line` gets each line that it writes. Raises `ContainerError`."""

    def address(self) -> str:
        """Allocate an address for the containers of one task."""

    def release(self, address: str) -> None:
        """Release an address."""

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Write a `docker` for one build into `directory` and return its path."""

    def end_docker(self, directory: Path) -> None:
        """Kill a build's containers and remove its `docker`. Do nothing if it has none."""

    def stop(self) -> None:
        """Kill every container."""
