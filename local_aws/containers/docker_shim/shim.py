"""Writes the `docker` command that a build finds on its PATH when the machine has no Docker."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.containers.docker_script import write_script
from local_aws.containers.docker_shim import container_commands
from local_aws.containers.docker_shim.state import FOLDER, DockerState, Settings, write_json
from local_aws.containers.images.build import host_environment
from local_aws.host.interpreters import search_variables

if TYPE_CHECKING:
    from local_aws.core.context import Context


class DockerShim:
    """Gives each build a `docker` command of its own.

    Each directory has its own image names, logins and containers, as each CodeBuild host has. Layers are
    shared.
    """

    def __init__(self, context: "Context") -> None:
        self.context = context

    def write(self, directory: Path, *, privileged: bool) -> Path:
        """Write `docker` into `directory`, which comes first on a build's PATH, and return its path.

        Without `privileged`, every command fails as Docker does without its daemon.
        """
        folder = directory / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            endpoint=self.context.endpoint,
            store=str(self.context.work / "containers"),
            instance=self.context.instance,
            privileged=privileged,
            time_scale=self.context.clock.time_scale,
            host=host_environment(),
            interpreters=search_variables(),
        )
        write_json(folder / "settings.json", vars(settings))
        return write_script(directory, "local_aws.containers.docker_shim.cli")

    def remove(self, directory: Path) -> None:
        """Kill a build's containers and remove its `docker`. Do nothing if the directory has none."""
        if (directory / FOLDER / "settings.json").exists():
            container_commands.remove_all(DockerState(directory))
            shutil.rmtree(directory / FOLDER, ignore_errors=True)
            (directory / "docker").unlink(missing_ok=True)
