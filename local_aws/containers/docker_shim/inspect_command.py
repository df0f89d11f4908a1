"""The `docker inspect` command, for images and containers."""

import argparse
import json
from typing import Any

from local_aws.containers.docker_shim.command_table import FORMAT, CommandTable, write_line
from local_aws.containers.docker_shim.format import render
from local_aws.containers.docker_shim.state import DockerError, DockerState
from local_aws.containers.images.store import Image


def _inspect(state: DockerState, options: argparse.Namespace) -> None:
    for name in options.names:
        content = _find(state, name, options.type)
        if content is None:
            raise DockerError(f"Error response from daemon: No such object: {name}")
        write_line(render(options.format, content) if options.format else json.dumps([content], indent=4))


def _find(state: DockerState, name: str, kind: str | None) -> dict[str, Any] | None:
    container = None if kind == "image" else describe_container(state, name)
    if container is not None or kind == "container":
        return container
    image = state.find(name)
    return describe_image(state, image) if image else None


def describe_image(state: DockerState, image: Image) -> dict[str, Any]:
    """Return an image as `docker inspect` prints it."""
    names = [name for name, image_id in state.names().items() if image_id == image.id]
    return {
        "Id": image.id,
        "RepoTags": [name for name in names if "@" not in name],
        "RepoDigests": state.digests(image),
        "Created": image.content["created"],
        "Architecture": image.content["architecture"],
        "Os": image.content["os"],
        "Config": image.content["config"],
        "RootFS": {"Type": "layers", "Layers": image.layers},
        "Size": sum(state.store.blob(digest).stat().st_size for digest in image.layers),
    }


def describe_container(state: DockerState, name: str) -> dict[str, Any] | None:
    """Return a container as `docker inspect` prints it, or None if there is none of this name."""
    try:
        folder = state.container(name)
    except DockerError:
        return None
    description, plan = folder.description(), folder.plan()
    return {
        "Id": plan.id,
        "Name": description["Name"],
        "Created": description["Created"],
        "Image": description["Image"],
        "State": folder.state(),
        "Config": {"Image": description["ImageName"]},
        "NetworkSettings": {"IPAddress": plan.address},
    }


COMMANDS: CommandTable = {
    "inspect": (
        _inspect,
        [FORMAT, (("--type",), {"choices": ["image", "container"]}), (("names",), {"nargs": "+"})],
    ),
}
