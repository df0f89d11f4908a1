"""Removes what local_aws created in docker or podman, by its label: when it stops, and after a kill -9.

It imports little: the reaper runs it after the server has ended.
"""

import json
import sys
import time
from pathlib import Path

from local_aws.containers.docker.command import ENGINE_VARIABLE, LABEL, Command, CommandError
from local_aws.host.modules import module_command
from local_aws.host.process_tags import kill_all, tagged

SECONDS = 60.0
_POLL_SECONDS = 0.2


class Record:
    """The record in a state folder of the engine in use: its command, registry and created images."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "engine.json"
        self.images = folder / "engine-images"

    def write(self, command: Command, registry: str) -> None:
        """Record the engine."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({"command": command.record(), "registry": registry}))

    def read(self) -> tuple[Command, str] | None:
        """Return the engine's command and the registry, or None if no engine is recorded."""
        if not self.file.exists():
            return None
        content = json.loads(self.file.read_text())
        return Command(**content["command"]), content["registry"]

    def add_image(self, name: str) -> None:
        """Record the name or the id of an image that local_aws created."""
        with self.images.open("a") as file:
            file.write(f"{name}\n")

    def read_images(self) -> list[str]:
        """Return the recorded images, each once, in order."""
        return list(dict.fromkeys(self.images.read_text().split())) if self.images.exists() else []

    def delete(self) -> None:
        """Delete the record."""
        self.images.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)


def cleanup_command(folder: Path) -> list[str]:
    """Return the command that runs `remove_resources` in its own process: the reaper outlives the server."""
    return module_command(__name__, str(folder))


def remove_resources(folder: Path, seconds: float = SECONDS) -> None:
    """Remove what local_aws created in the engine recorded in `folder`. On an error the record stays."""
    record = Record(folder)
    found = record.read()
    if found is None:
        return
    command, registry = found
    tag = f"{ENGINE_VARIABLE}={command.instance}"
    deadline = time.monotonic() + seconds
    try:
        # A command of the killed server may still be creating a container.
        while remove_containers(command) or any(tagged(tag)):
            if time.monotonic() > deadline:
                kill_all(lambda: tagged(tag), 2)
                break
            time.sleep(_POLL_SECONDS)
        for kind in ("volume", "network"):
            for name in _listed(command, kind, "ls"):
                command.run(kind, "rm", name)
        _remove_images(command, registry, record.read_images())
    except CommandError:
        # The engine does not answer. The next local_aws of this folder tries again.
        return
    record.delete()


def remove_containers(command: Command, label: str = "") -> bool:
    """Kill and remove the containers with a label (by default ours). Return whether there were any."""
    found = _listed(command, "ps", "--all", "--no-trunc", label=label)
    if not found:
        return False
    try:
        command.run(*command.remove(), *found)
    except CommandError:
        # A container whose network others use can only be removed after them.
        if _listed(command, "ps", "--all", "--no-trunc", label=label) == found:
            raise
        remove_containers(command, label)
    return True


def _listed(command: Command, *words: str, label: str = "") -> list[str]:
    wanted = label or f"{LABEL}={command.instance}"
    return command.run(*words, "--quiet", "--filter", f"label={wanted}").split()


def _remove_images(command: Command, registry: str, recorded: list[str]) -> None:
    """Untag the images, then remove those without a tag: users may have tagged them too."""
    listed = command.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    for name in dict.fromkeys((*listed, *recorded)):
        if _is_tag(name) and (name in recorded or name.startswith(f"{registry}/")):
            _try(command, "rmi", name)
    for image in recorded:
        if _try(command, "image", "inspect", "--format", "{{json .RepoTags}}", image) in ("[]", "null"):
            _try(command, "rmi", image)


def _is_tag(name: str) -> bool:
    return ":" in name and not name.startswith("sha256:") and not name.endswith(":<none>")


def _try(command: Command, *words: str) -> str:
    try:
        return command.run(*words)
    except CommandError:
        # It does not exist any more, or a user's container uses it.
        return ""


if __name__ == "__main__":
    remove_resources(Path(sys.argv[1]))
