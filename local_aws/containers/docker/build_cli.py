"""The `docker` of a build: the engine's own command, with ECR's host led to the gateway, and own logins.

It imports little: every command of a build starts it.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from local_aws.containers.docker import cleanup
from local_aws.containers.docker.argument_rewriting import Build, Mapped, RefusedError, map_words
from local_aws.containers.docker.command import BUILD_LABEL, Command
from local_aws.containers.docker_shim.script import NO_DAEMON, write_script

FOLDER = ".docker"
# The build's machine has its own; these lead to the engine and to its programs, as they lead local_aws.
_ENGINE_VARIABLES = (
    "HOME",
    "PATH",
    "XDG_RUNTIME_DIR",
    "BUILDAH_",
    "BUILDKIT_",
    "CONTAINER",
    "DOCKER_",
    "STORAGE_",
)


@dataclass(frozen=True)
class Settings:
    """What local_aws tells the `docker` that it writes for a build."""

    command: dict[str, Any]
    registry: str
    # ECR's host, which the registry stands for.
    host: str
    # The folder of the engine's record.
    record: str
    # The build's own label.
    name: str
    privileged: bool
    variables: dict[str, str]


def write(
    directory: Path, command: Command, registry: str, host: str, record: Path, *, privileged: bool
) -> Path:
    """Put `docker` into `directory` (to be first on a build's PATH) and return its path."""
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_logins(folder, registry, None)
    plugins = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "cli-plugins"
    if plugins.is_dir() and not (folder / "cli-plugins").exists():
        (folder / "cli-plugins").symlink_to(plugins)
    variables = {name: value for name, value in os.environ.items() if name.startswith(_ENGINE_VARIABLES)}
    settings = Settings(
        command.record(), registry, host, str(record), uuid.uuid4().hex, privileged, variables
    )
    (folder / "settings.json").write_text(json.dumps(vars(settings)))
    (folder / "settings.json").chmod(0o600)
    return write_script(directory, "local_aws.containers.docker.build_cli")


def end(directory: Path) -> None:
    """End a build's containers and forget its logins; does nothing when it has no `docker`."""
    if (directory / FOLDER / "settings.json").exists():
        settings = _settings(directory)
        # Removed first: what of the build still runs can start nothing more by it.
        (directory / "docker").unlink(missing_ok=True)
        cleanup.remove_containers(Command(**settings.command), f"{BUILD_LABEL}={settings.name}")
        shutil.rmtree(directory / FOLDER, ignore_errors=True)


def write_logins(folder: Path, registry: str, login: str | None) -> Path:
    """Write the configuration of docker that knows one login (`user:password`), or none; return the file."""
    account = {} if login is None else {"auth": base64.b64encode(login.encode()).decode()}
    path = folder / "config.json"
    path.touch(0o600)
    # An entry even without a login: else docker would keep the password with the user's own, in the keyring.
    path.write_text(json.dumps({"auths": {registry if login else "local_aws": account}}))
    return path


def login_variables(file: Path) -> dict[str, str]:
    """Return what makes docker, and podman, keep their logins in a file."""
    return {"DOCKER_CONFIG": str(file.parent), "REGISTRY_AUTH_FILE": str(file)}


def _settings(directory: Path) -> Settings:
    return Settings(**json.loads((directory / FOLDER / "settings.json").read_text()))


def main(directory: str, arguments: list[str]) -> int:
    """Run one docker command; return its exit code."""
    folder = Path(directory)
    settings = _settings(folder)
    command = Command(**settings.command)
    if not settings.privileged:
        print(NO_DAEMON, file=sys.stderr)
        return 1
    build = Build(settings.registry, command.instance, settings.name, command.podman)
    try:
        mapped = map_words(arguments or ["--help"], build)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 125
    logins = login_variables(folder / FOLDER / "config.json")
    variables = command.environment({**settings.variables, **logins})
    record = cleanup.Record(Path(settings.record))
    for name in mapped.names:
        record.note_image(name)
    words = [command.path, *mapped.words]
    if not mapped.prints_names:
        sys.stdout.flush()
        os.execve(command.path, words, variables)  # noqa: S606 - the engine, in our place
    if mapped.kind != "build" or any(word.startswith("--iidfile") for word in mapped.words):
        return _run(words, mapped, settings, variables)
    return _build(words, mapped, settings, variables, record)


def _build(
    words: list[str], mapped: Mapped, settings: Settings, variables: Mapping[str, str], record: cleanup.Record
) -> int:
    at = words.index("build") + 1
    with tempfile.NamedTemporaryFile("r") as file:
        code = _run([*words[:at], "--iidfile", file.name, *words[at:]], mapped, settings, variables)
        made = Path(file.name).read_text().strip()
    if made:
        record.note_image(made)
    return code


def _run(words: list[str], mapped: Mapped, settings: Settings, variables: Mapping[str, str]) -> int:
    """Run the engine, telling of its registry as ECR's host, which it stands for."""
    host = (mapped.host or settings.host).encode()
    registry = settings.registry.encode()
    names = ((registry + b"/" + host.partition(b".")[0], host), (registry, host))
    with subprocess.Popen(  # noqa: S603 - the engine, with the build's words
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(variables)
    ) as process:
        readers = [
            threading.Thread(target=_copy, args=(source, sink.buffer, names))
            for source, sink in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _copy(source: IO[bytes], sink: IO[bytes], names: Iterable[tuple[bytes, bytes]]) -> None:
    for line in source:
        for one in names:
            line = line.replace(*one)
        sink.write(line)
        sink.flush()
