"""A fake docker or podman: it records its arguments and keeps containers as files."""

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
{{ printf '%s\037' "$@"; printf '\036'; }} >> commands
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
    """A fake command that records its arguments."""

    def __init__(self, folder: Path, name: str = "podman", special: str = "") -> None:
        self.folder = folder
        (folder / "containers").mkdir(parents=True)
        (folder / "lines").touch()
        self.path = folder / name
        self.path.write_text(SCRIPT.format(folder=folder, name=name, special=special))
        self.path.chmod(0o755)
        # Unique: cleanup finds processes of an instance on the whole machine.
        self.instance = uuid.uuid4().hex
        self.command = Command(str(self.path), podman=name == "podman", version="9.9", instance=self.instance)

    def commands(self, *start: str) -> list[list[str]]:
        """Return the commands that it ran with arguments that begin with `start`."""
        path = self.folder / "commands"
        text = path.read_text() if path.exists() else ""
        found = [record.split("\037")[:-1] for record in text.split("\036")[:-1]]
        return [words for words in found if words[: len(start)] == list(start)]

    @property
    def containers(self) -> list[str]:
        """The containers that run."""
        return sorted(path.name for path in (self.folder / "containers").iterdir())

    def variables(self) -> set[str]:
        """Return the recorded variables of its environment."""
        path = self.folder / "variables"
        return set(path.read_text().splitlines()) if path.exists() else set()


def engine_context(state: Path, registry: str = REGISTRY) -> Any:
    """Return the part of a context that an engine needs."""
    return SimpleNamespace(
        work=state,
        endpoint=f"http://{registry}",
        instance=uuid.uuid4().hex,
        clock=Clock(0.02),
        account="123456789012",
        region="us-east-1",
    )


def engine_of(fake: FakeEngine, state: Path, registry: str = REGISTRY) -> CliEngine:
    """Return the container engine of a fake command, recorded as by the selection."""
    cleanup.Record(state / "containers").write(fake.command, registry)
    return CliEngine(engine_context(state, registry), fake.command)


def only_on_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Set PATH to these folders and the tools of a shell."""
    tools = folders[0].parent / "tools"
    tools.mkdir(exist_ok=True)
    for tool in ("sh", "cat", "ls", "wc", "sleep", "env", "grep", "rm"):
        if not (tools / tool).exists():
            (tools / tool).symlink_to(
                next(p for p in map(Path, ("/bin", "/usr/bin")) if (p / tool).exists()) / tool
            )
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (*folders, tools))))


def logins(variables: Mapping[str, str]) -> Any:
    """Return the logins of an engine with these variables."""
    return json.loads(Path(variables["REGISTRY_AUTH_FILE"]).read_text())["auths"]
