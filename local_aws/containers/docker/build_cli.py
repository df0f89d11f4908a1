"""The `docker` of a build: the engine's own command, with ECR's host mapped to the gateway, and own logins.

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
from typing import IO

from local_aws.containers.docker import cleanup
from local_aws.containers.docker.argument_rewriting import (
    RefusedError,
    RewriteContext,
    RewrittenCommand,
    names_public_registry,
    rewrite,
)
from local_aws.containers.docker.command import BUILD_LABEL, Command, CommandRecord
from local_aws.containers.docker.outside import FOLDER
from local_aws.containers.docker_script import NO_DAEMON, write_script

# A build has other values for these; the engine's command needs those of local_aws.
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
    """What `docker` reads when it starts: `write` writes it."""

    command: CommandRecord
    registry: str
    # ECR's host, in whose place the registry is used.
    host: str
    # The folder of the engine's record (see cleanup).
    record: str
    # The value of the build's label.
    name: str
    privileged: bool
    variables: dict[str, str]


def write(
    directory: Path, command: Command, registry: str, host: str, record: Path, *, privileged: bool
) -> Path:
    """Write `docker` into `directory`, which comes first on a build's PATH, and return its path."""
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


def remove(directory: Path) -> None:
    """Kill a build's containers and remove its `docker`. Do nothing if the directory has none."""
    if (directory / FOLDER / "settings.json").exists():
        settings = _settings(directory)
        # Removed first, so that processes of the build that still run cannot start more containers.
        (directory / "docker").unlink(missing_ok=True)
        cleanup.remove_containers(Command(**settings.command), f"{BUILD_LABEL}={settings.name}")
        shutil.rmtree(directory / FOLDER, ignore_errors=True)


def write_logins(folder: Path, registry: str, login: str | None) -> Path:
    """Write a Docker configuration with one login (`user:password`) or none, and return its path."""
    account = {} if login is None else {"auth": base64.b64encode(login.encode()).decode()}
    path = folder / "config.json"
    path.touch(0o600)
    # Without any entry, docker would store the build's password in the user's keyring.
    path.write_text(json.dumps({"auths": {registry if login else "local_aws": account}}))
    return path


def login_variables(file: Path) -> dict[str, str]:
    """Return the variables that make docker and podman store their logins in `file`."""
    return {"DOCKER_CONFIG": str(file.parent), "REGISTRY_AUTH_FILE": str(file)}


def _settings(directory: Path) -> Settings:
    return Settings(**json.loads((directory / FOLDER / "settings.json").read_text()))


def main(directory: str, arguments: list[str]) -> int:
    """Run one docker command and return its exit code."""
    folder = Path(directory)
    settings = _settings(folder)
    command = Command(**settings.command)
    if not settings.privileged:
        print(NO_DAEMON, file=sys.stderr)
        return 1
    context = RewriteContext(settings.registry, command.instance, settings.name, command.podman)
    try:
        rewritten = rewrite(arguments or ["--help"], context)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 125
    logins = login_variables(folder / FOLDER / "config.json")
    variables = command.environment({**settings.variables, **logins})
    if names_public_registry(rewritten.kind, arguments):
        # Imported here: every command of a build starts this program, and few need a client of a registry.
        from local_aws.containers.docker import public_registry

        status = public_registry.run(
            rewritten.kind, arguments, f"http://{settings.registry}", folder / FOLDER
        )
        if status or rewritten.kind == "login" or command.has_image(arguments[-1], variables):
            return status
    return _execute(rewritten, command, settings, variables)


def _execute(
    rewritten: RewrittenCommand, command: Command, settings: Settings, variables: Mapping[str, str]
) -> int:
    record = cleanup.Record(Path(settings.record))
    for name in rewritten.image_names:
        record.add_image(name)
    words = [command.path, *rewritten.words]
    if not rewritten.prints_names:
        sys.stdout.flush()
        os.execve(command.path, words, dict(variables))  # noqa: S606 - the engine replaces this process
    if rewritten.kind != "build" or any(word.startswith("--iidfile") for word in rewritten.words):
        return _run(words, rewritten.host, settings, variables)
    return _build(words, rewritten.host, settings, variables, record)


def _build(
    words: list[str], host: str, settings: Settings, variables: Mapping[str, str], record: cleanup.Record
) -> int:
    at = words.index("build") + 1
    with tempfile.NamedTemporaryFile("r") as file:
        code = _run([*words[:at], "--iidfile", file.name, *words[at:]], host, settings, variables)
        image = Path(file.name).read_text().strip()
    if image:
        record.add_image(image)
    return code


def _run(words: list[str], ecr_host: str, settings: Settings, variables: Mapping[str, str]) -> int:
    """Run the engine, and print ECR's host in place of its registry."""
    host = (ecr_host or settings.host).encode()
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
        for registry, host in names:
            line = line.replace(registry, host)
        sink.write(line)
        sink.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
