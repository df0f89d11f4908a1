"""The state of one build's `docker`, in files: names of images, logins and containers."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from local_aws.containers.images.dockerfile_plan import base_python
from local_aws.containers.images.registry_client import Reference
from local_aws.containers.images.store import Image, ImageStore
from local_aws.containers.processes.container import ProcessPlan, processes_of

FOLDER = ".docker"


class DockerError(Exception):
    """A command failed. `code` is the exit code, the text is what docker prints."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Settings:
    """What `docker` reads when it starts: `DockerShim.write` writes it."""

    endpoint: str
    store: str
    instance: str
    privileged: bool
    time_scale: float
    # How pip reaches the network on this machine. It may hold a password, so the file is for its owner only.
    host: dict[str, str]
    # Where the base images' interpreters are: a build has another home and another PATH.
    interpreters: dict[str, str]


class PortMapping(TypedDict):
    """A published port; host port 0 lets the system choose one."""

    HostPort: int
    ContainerPort: int


class Health(TypedDict):
    """`starting`, `healthy` or `unhealthy`."""

    Status: str


class ContainerState(TypedDict):
    """`State` as `docker inspect` prints it, and the published ports."""

    Status: str
    Running: bool
    Pid: int
    ExitCode: int
    Error: NotRequired[str]
    StartedAt: NotRequired[str]
    FinishedAt: NotRequired[str]
    Ports: NotRequired[list[PortMapping]]
    Health: NotRequired[Health]


class ContainerDescription(TypedDict):
    """What does not change while a container exists."""

    Id: str
    Name: str
    Created: str
    Image: str
    ImageName: str
    Ports: list[PortMapping]


@dataclass(frozen=True)
class RunOptions:
    """What `docker run` adds to a container's spec."""

    image_name: str
    ports: list[PortMapping]


class DockerState:
    """The state of one `docker`. Every command is a process of its own; images are shared by all."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / FOLDER
        self.settings = Settings(**json.loads((self.folder / "settings.json").read_text()))
        self.store = ImageStore(Path(self.settings.store))

    # Images

    def tag(self, name: str, image: Image) -> None:
        """Give an image a name."""
        write_json(self.folder / "names.json", {**self.names(), str(Reference.parse(name)): image.id})

    def names(self) -> dict[str, str]:
        """Return the image ids by full name."""
        return dict(read_json(self.folder / "names.json", {}))

    def find(self, name: str) -> Image | None:
        """Return an image by name, id or the start of an id. A base image needs no pull."""
        names = self.names()
        known = names.get(str(Reference.parse(name))) if not name.startswith("sha256:") else name
        if known is None and len(name) >= 4:
            known = next((id_ for id_ in names.values() if id_[7:].startswith(name)), None)
        if known is not None:
            return self.store.image(known)
        python = base_python(name)
        return self.store.base(python) if python else None

    def digests(self, image: Image) -> list[str]:
        """Return the names with digest that a push or a pull recorded for the image."""
        known: dict[str, str] = read_json(self.folder / "digests.json", {})
        return [name for name, image_id in known.items() if image_id == image.id]

    def record_digest(self, name: str, image: Image) -> None:
        """Record the name with digest of a pushed or pulled image."""
        path = self.folder / "digests.json"
        write_json(path, {**read_json(path, {}), name: image.id})

    # Logins

    def login(self, host: str) -> str | None:
        """Return `user:password` for a registry, or None before `docker login`."""
        found: str | None = read_json(self.folder / "auth.json", {}).get(host)
        return found

    def record_login(self, host: str, login: str) -> None:
        """Record a login that a registry accepted."""
        path = self.folder / "auth.json"
        write_json(path, {**read_json(path, {}), host: login})

    # Containers

    def containers(self) -> list["ContainerFolder"]:
        """Return the containers, oldest first."""
        found = [ContainerFolder(path) for path in (self.folder / "containers").glob("*")]
        complete = (folder for folder in found if folder.is_complete())
        return sorted(complete, key=lambda folder: folder.description()["Created"])

    def container(self, name: str) -> "ContainerFolder":
        """Return a container by name or the start of its id."""
        for folder in self.containers():
            if folder.description()["Name"] == f"/{name}" or (name and folder.path.name.startswith(name)):
                return folder
        raise DockerError(f"Error response from daemon: No such container: {name}")


class ContainerFolder:
    """The files of one container, written by the process that runs it and read by every command."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "output.log"

    def is_complete(self) -> bool:
        """Return whether all files of the container are written."""
        return (self.path / "description.json").exists()

    def create(self, plan: ProcessPlan, description: ContainerDescription) -> None:
        """Write a new container's files."""
        self.path.mkdir(parents=True, mode=0o700)
        write_json(self.path / "plan.json", {**asdict(plan), "root": str(plan.root)})
        self.log.touch()
        self.write_state({"Status": "created", "Running": False, "Pid": 0, "ExitCode": 0})
        write_json(self.path / "description.json", description)

    def plan(self) -> ProcessPlan:
        """Return how the container's processes are started."""
        content = json.loads((self.path / "plan.json").read_text())
        content["command"] = tuple(content["command"])
        return ProcessPlan(**{**content, "root": Path(content["root"])})

    def description(self) -> ContainerDescription:
        """Return what does not change: name, image and ports."""
        description: ContainerDescription = json.loads((self.path / "description.json").read_text())
        return description

    def write_state(self, state: ContainerState) -> None:
        """Write the state."""
        write_json(self.path / "state.json", state)

    def state(self) -> ContainerState:
        """Return the state. A container whose processes are gone is `exited`, whatever the file says."""
        state: ContainerState = json.loads((self.path / "state.json").read_text())
        if state["Running"] and not processes_of(self.plan().id):
            state.update({"Status": "exited", "Running": False, "Pid": 0, "ExitCode": 137})
        return state


def read_json(path: Path, default: Any) -> Any:
    """Return a file's content, or `default` if the file does not exist."""
    return json.loads(path.read_text()) if path.exists() else default


def write_json(path: Path, content: Any) -> None:
    """Replace a file atomically; only its owner can read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    Path(name).replace(path)
