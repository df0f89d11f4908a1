"""A docker or podman that runs nothing: it writes down what it is told, and keeps containers as files."""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.containers.docker import cleanup
from local_aws.containers.docker.command import Command
from local_aws.containers.docker.engine import CliEngine
from local_aws.core.clock import Clock

REGISTRY = "127.0.0.1:4599"

# Words end with a unit separator and commands with a record separator: some words have lines.
SCRIPT = r"""#!/bin/sh
cd {folder}
{{ printf '%s\037' "$@"; printf '\036'; }} >> told
env | grep -E '^(DOCKER_CONFIG|REGISTRY_AUTH_FILE|LOCAL_AWS_[A-Z]+|CONTAINERS_CONF|PATH)=' >> variables
{special}
case "$1" in
  --version) echo "{name} version 9.9";;
  info|context) echo 9.9;;
  version) echo '{{"Version": "9.9", "Components": [{{"Name": "Engine"}}]}}';;
  create|run) id=c$(ls containers | wc -l); : > containers/$id; echo $id;;
  start) cat lines; while [ -e containers/$3 ]; do sleep 0.05; done; exit 137;;
  inspect) case "$3" in *IPAddress*) echo 10.88.0.$(ls containers | wc -l);;
    *) [ -e containers/$4 ] && echo running 1 0 false || echo exited 0 137 true;; esac;;
  image) echo sha256:abc;;
  login) cat > password;;
  push) for word; do :; done; echo "pushed to $word"; echo "warned of $word" >&2;;
  ps) ls containers;;
  rm|kill|stop) shift; for word in "$@"; do rm -f "containers/$word"; done;;
esac
"""


class FakeEngine:
    """The command, and what it was told."""

    def __init__(self, folder: Path, name: str = "podman", special: str = "") -> None:
        self.folder = folder
        (folder / "containers").mkdir(parents=True)
        (folder / "lines").touch()
        self.path = folder / name
        self.path.write_text(SCRIPT.format(folder=folder, name=name, special=special))
        self.path.chmod(0o755)
        # Its own: the sweep looks for processes of an instance on the whole machine.
        self.instance = uuid.uuid4().hex
        self.command = Command(str(self.path), podman=name == "podman", version="9.9", instance=self.instance)

    def told(self, *start: str) -> list[list[str]]:
        """Return the commands that it was told, those that begin with `start`."""
        path = self.folder / "told"
        text = path.read_text() if path.exists() else ""
        found = [record.split("\037")[:-1] for record in text.split("\036")[:-1]]
        return [words for words in found if words[: len(start)] == list(start)]

    @property
    def containers(self) -> list[str]:
        """What lives in it."""
        return sorted(path.name for path in (self.folder / "containers").iterdir())

    def variables(self) -> set[str]:
        """Return the variables of interest that it saw."""
        path = self.folder / "variables"
        return set(path.read_text().splitlines()) if path.exists() else set()


def surroundings(state: Path) -> Any:
    """Return what the engine needs of a context."""
    return SimpleNamespace(
        state=state,
        endpoint=f"http://{REGISTRY}",
        instance=uuid.uuid4().hex,
        clock=Clock(0.02),
        account="123456789012",
        region="us-east-1",
    )


def engine_of(fake: FakeEngine, state: Path) -> CliEngine:
    """Return the container engine of a fake command, noted as the choice notes it."""
    cleanup.Record(state / "containers").write(fake.command, REGISTRY)
    return CliEngine(surroundings(state), fake.command)


def only_on_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Let the programs of these folders, and the shell's own, be all that there is."""
    tools = folders[0].parent / "tools"
    tools.mkdir(exist_ok=True)
    for tool in ("sh", "cat", "ls", "wc", "sleep", "env", "grep", "rm"):
        if not (tools / tool).exists():
            (tools / tool).symlink_to(
                next(p for p in map(Path, ("/bin", "/usr/bin")) if (p / tool).exists()) / tool
            )
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (*folders, tools))))


def logins(variables: Mapping[str, str]) -> Any:
    """Return the logins that an engine with `variables` has."""
    return json.loads(Path(variables["REGISTRY_AUTH_FILE"]).read_text())["auths"]
