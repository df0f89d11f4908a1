"""The seam under ECS and the build's `docker`: what a container engine does, whichever it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_aws.containers.images.config import ImageConfig


class ContainerError(Exception):
    """A container could not be started; the text is the engine's, as AWS shows it."""


class PullError(Exception):
    """An image could not be pulled; the text is what follows `CannotPullContainerError: ` on AWS."""


@dataclass(frozen=True)
class ContainerSpec:
    """What to run: `image` is an id that `pull` gave; empty command and entrypoint are the image's."""

    image: str
    name: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""
    # Containers of one task share its address; None asks for a new one.
    address: str | None = None
    # What a stand-in without isolation cannot do, it leaves undone (docs/known-differences.md).
    user: str = ""
    read_only: bool = False
    # MiB that it may use at most, and its weight in units of 1/1024 vCPU; 0 is no limit, and no weight.
    memory: int = 0
    cpu: int = 0


class Container(Protocol):
    """A container that was started."""

    id: str
    address: str
    process_id: int
    # Whether it was ended for using more memory than its limit.
    out_of_memory: bool

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + n after signal n; None while it runs."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it ends and return the exit code; None after `timeout` real seconds."""

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Run a command inside; return its exit code and output. Raises `TimeoutError`, `ContainerError`."""

    def stop(self, timeout: float) -> int:
        """Send the stop signal to the main process, wait `timeout` real seconds, kill what is left."""


class ContainerEngine(Protocol):
    """A container engine; `about` is what a person reads of it: its name, its version, why it is this one."""

    name: str
    about: str

    def pull(self, reference: str, login: str | None = None) -> str:
        """Fetch an image (`login` is a registry's `user:password`) and return its id. Raises `PullError`."""

    def config(self, image: str) -> ImageConfig:
        """Return how an image runs."""

    def start(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> Container:
        """Start a container; each line that it writes goes to `on_line`. Raises `ContainerError`."""

    def address(self) -> str:
        """Return a new address, for the containers of one task."""

    def release(self, address: str) -> None:
        """Give an address back."""

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        """Put a `docker` for one build into `directory`."""

    def end_docker(self, directory: Path) -> None:
        """End a build's containers and forget its logins; does nothing when it has no `docker`."""

    def stop(self) -> None:
        """End every container at once."""
