"""What the `docker` of one build remembers: names of images, the login, its containers. Images are shared."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_aws.containers.images.dockerfile_plan import base_python
from local_aws.containers.images.registry_client import Reference
from local_aws.containers.images.store import Image, ImageStore
from local_aws.containers.processes.container import ProcessPlan, processes_of

FOLDER = ".docker"


class DockerError(Exception):
    """A command failed; `code` is the exit code, the text what docker prints."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Settings:
    """What local_aws tells the `docker` that it writes for a build."""

    endpoint: str
    store: str
    instance: str
    privileged: bool
    time_scale: float
    # How pip reaches the network on this machine; it may hold a password, so the file is for its owner.
    host: dict[str, str]


class DockerState:
    """The state of one `docker`, in files: every command is a process of its own."""

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
        """Return the image of a name, an id or the start of an id; base images are always there."""
        names = self.names()
        known = names.get(str(Reference.parse(name))) if not name.startswith("sha256:") else name
        if known is None and len(name) >= 4:
            known = next((id_ for id_ in names.values() if id_[7:].startswith(name)), None)
        if known is not None:
            return self.store.image(known)
        python = base_python(name)
        return self.store.base(python) if python else None

    def digests(self, image: Image) -> list[str]:
        """Return the names with digest that a push or a pull of the image made known."""
        known: dict[str, str] = read_json(self.folder / "digests.json", {})
        return [name for name, image_id in known.items() if image_id == image.id]

    def note_digest(self, name: str, image: Image) -> None:
        """Keep the name with digest of a pushed or pulled image."""
        path = self.folder / "digests.json"
        write_json(path, {**read_json(path, {}), name: image.id})

    # Logins

    def login(self, host: str) -> str | None:
        """Return `user:password` for a registry, None when nobody logged in."""
        found: str | None = read_json(self.folder / "auth.json", {}).get(host)
        return found

    def note_login(self, host: str, login: str) -> None:
        """Keep a login that a registry has accepted."""
        path = self.folder / "auth.json"
        write_json(path, {**read_json(path, {}), host: login})

    # Containers

    def containers(self) -> list["ContainerFolder"]:
        """Return the containers, oldest first."""
        found = [ContainerFolder(path) for path in (self.folder / "containers").glob("*")]
        return sorted((one for one in found if one.is_made()), key=lambda one: str(one.about()["Created"]))

    def container(self, name: str) -> "ContainerFolder":
        """Return a container by name or the start of its id."""
        for one in self.containers():
            if one.about()["Name"] == f"/{name}" or (name and one.path.name.startswith(name)):
                return one
        raise DockerError(f"Error response from daemon: No such container: {name}")


class ContainerFolder:
    """The files of one container, written by the process that runs it and read by every command."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "output.log"

    def is_made(self) -> bool:
        """Tell whether the container is complete."""
        return (self.path / "about.json").exists()

    def make(self, plan: ProcessPlan, about: dict[str, Any]) -> None:
        """Write a new container's files."""
        self.path.mkdir(parents=True, mode=0o700)
        write_json(self.path / "plan.json", {**asdict(plan), "root": str(plan.root)})
        self.log.touch()
        self.note({"Status": "created", "Running": False, "Pid": 0, "ExitCode": 0})
        write_json(self.path / "about.json", about)

    def plan(self) -> ProcessPlan:
        """Return how the container's processes are started."""
        content = json.loads((self.path / "plan.json").read_text())
        content["command"] = tuple(content["command"])
        return ProcessPlan(**{**content, "root": Path(content["root"])})

    def about(self) -> dict[str, Any]:
        """Return what does not change: name, image, ports, options."""
        return dict(json.loads((self.path / "about.json").read_text()))

    def note(self, state: dict[str, Any]) -> None:
        """Write the state."""
        write_json(self.path / "state.json", state)

    def state(self) -> dict[str, Any]:
        """Return the state; what is said to run has a living process."""
        state: dict[str, Any] = dict(json.loads((self.path / "state.json").read_text()))
        if state["Running"] and not processes_of(self.plan().id):
            state = {**state, "Status": "exited", "Running": False, "Pid": 0, "ExitCode": 137}
        return state


def read_json(path: Path, default: Any) -> Any:
    """Return a file's content, `default` when there is none."""
    return json.loads(path.read_text()) if path.exists() else default


def write_json(path: Path, content: Any) -> None:
    """Replace a file at once, readable for its owner only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    Path(name).replace(path)
