"""The `docker` that a build finds on its PATH when there is no Docker: what a build of images needs."""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn, Protocol

from local_aws.containers.docker_shim.script import NO_DAEMON, write_script
from local_aws.containers.docker_shim.state import FOLDER, DockerError, DockerState, Settings, write_json
from local_aws.containers.images.build import host_environment


class _Context(Protocol):
    @property
    def state(self) -> Path: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def clock(self) -> Any: ...


def write_executable(directory: Path, context: _Context, *, privileged: bool) -> Path:
    """Put `docker` into `directory` (to be first on a build's PATH) and return its path.

    Each directory has its own image names, logins and containers, as each CodeBuild host has; layers are
    shared. Without `privileged` it answers as Docker does without its daemon.
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        endpoint=context.endpoint,
        store=str(context.state / "containers"),
        instance=context.instance,
        privileged=privileged,
        time_scale=context.clock.time_scale,
        host=host_environment(),
    )
    write_json(folder / "settings.json", vars(settings))
    return write_script(directory, "local_aws.containers.docker_shim.cli")


def end(directory: Path) -> None:
    """End a build's containers and forget its images' names and logins; does nothing when there are none."""
    from local_aws.containers.docker_shim import container_commands

    if (directory / FOLDER / "settings.json").exists():
        container_commands.remove_all(DockerState(directory))
        shutil.rmtree(directory / FOLDER, ignore_errors=True)
        (directory / "docker").unlink(missing_ok=True)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        asked = " ".join(["docker", *sys.argv[1:]][:4])
        raise DockerError(f"local_aws (processes) cannot do: {asked} ...: {message}; use docker", 125)


def main(directory: str, arguments: list[str]) -> int:
    """Run one docker command; return its exit code."""
    try:
        state = DockerState(Path(directory))
        if arguments[:1] == ["--version"]:
            arguments = ["version"]
        options = _parser().parse_args(arguments)
        if not state.settings.privileged:
            raise DockerError(NO_DAEMON)
        os.environ.setdefault("LOCAL_AWS_INSTANCE", state.settings.instance)
        code: int = options.command_function(state, options) or 0
        return code
    except DockerError as error:
        print(error, file=sys.stderr)
        return error.code
    except BrokenPipeError:
        return 141


def _parser() -> argparse.ArgumentParser:
    from local_aws.containers.docker_shim import container_commands, image_commands

    parser = _Parser(prog="docker", add_help=False, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, parser_class=_Parser, metavar="COMMAND")
    for module in (image_commands, container_commands):
        for name, (function, options) in module.COMMANDS.items():
            command = commands.add_parser(name, add_help=False, allow_abbrev=False)
            command.set_defaults(command_function=function)
            for flags, keywords in options:
                command.add_argument(*flags, **keywords)
    return parser


def inspect_text(content: Any) -> str:
    """Return an object as docker inspect prints it."""
    return json.dumps([content], indent=4)
