"""Removes what local_aws made in docker or podman, by its label: at its end, and after a kill -9.

It imports little: the reaper runs it when the server is gone.
"""

import json
import sys
import time
from pathlib import Path

from local_aws.containers.docker.command import ENGINE_VARIABLE, LABEL, Command, CommandError
from local_aws.host.process_tags import kill_all, tagged

SECONDS = 60.0
_POLL_SECONDS = 0.2


class Record:
    """What a state folder says of the engine in use: its command, its registry, the images that were made."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "engine.json"
        self.images = folder / "engine-images"

    def write(self, command: Command, registry: str) -> None:
        """Note the engine."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({"command": command.record(), "registry": registry}))

    def read(self) -> tuple[Command, str] | None:
        """Return the engine's command and the registry; None when none was used."""
        if not self.file.exists():
            return None
        content = json.loads(self.file.read_text())
        return Command(**content["command"]), content["registry"]

    def note_image(self, name: str) -> None:
        """Note the name or the id of an image that was made here."""
        with self.images.open("a") as file:
            file.write(f"{name}\n")

    def noted_images(self) -> list[str]:
        """Return what was noted, each once, in order."""
        return list(dict.fromkeys(self.images.read_text().split())) if self.images.exists() else []

    def forget(self) -> None:
        """Forget the engine: nothing is left in it."""
        self.images.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)


def sweep(folder: Path, seconds: float = SECONDS) -> None:
    """Remove all that the engine noted in `folder` still has of ours; what cannot be removed stays noted."""
    record = Record(folder)
    found = record.read()
    if found is None:
        return
    command, registry = found
    mark = f"{ENGINE_VARIABLE}={command.instance}"
    deadline = time.monotonic() + seconds
    try:
        # A command of the killed server may still be making a container.
        while remove_containers(command) or any(tagged(mark)):
            if time.monotonic() > deadline:
                kill_all(lambda: tagged(mark), 2)
                break
            time.sleep(_POLL_SECONDS)
        for kind in ("volume", "network"):
            for name in _listed(command, kind, "ls"):
                command.run(kind, "rm", name)
        _remove_images(command, registry, record.noted_images())
    except CommandError:
        # The engine is gone or stuck. The next local_aws of this folder tries again.
        return
    record.forget()


def remove_containers(command: Command, label: str = "") -> bool:
    """Kill and remove the containers of a label (ours); return whether there were any."""
    found = _listed(command, "ps", "--all", "--no-trunc", label=label)
    if not found:
        return False
    try:
        command.run(*command.remove(), *found)
    except CommandError:
        # One that others share the network of goes after them; the next look finds it.
        if _listed(command, "ps", "--all", "--no-trunc", label=label) == found:
            raise
        remove_containers(command, label)
    return True


def _listed(command: Command, *words: str, label: str = "") -> list[str]:
    wanted = label or f"{LABEL}={command.instance}"
    return command.run(*words, "--quiet", "--filter", f"label={wanted}").split()


def _remove_images(command: Command, registry: str, noted: list[str]) -> None:
    """Take our names off images, then remove those that have none left: others may have named them too."""
    listed = command.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    names = [name for name in listed if name.startswith(f"{registry}/") and not name.endswith(":<none>")]
    for name in (*names, *(one for one in noted if ":" in one and not one.startswith("sha256:"))):
        _try(command, "rmi", name)
    for image in noted:
        if _try(command, "image", "inspect", "--format", "{{json .RepoTags}}", image) in ("[]", "null"):
            _try(command, "rmi", image)


def _try(command: Command, *words: str) -> str:
    try:
        return command.run(*words)
    except CommandError:
        # It is gone already, or a person's container uses it.
        return ""


if __name__ == "__main__":
    # The reaper runs it: the folder of the record is the argument.
    sweep(Path(sys.argv[1]))
