"""Runs one `docker` command of a build on a machine without Docker."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from local_aws.containers.docker_script import NO_DAEMON
from local_aws.containers.docker_shim import container_commands, image_commands, inspect_command
from local_aws.containers.docker_shim.command_table import CommandTable
from local_aws.containers.docker_shim.state import DockerError, DockerState
from local_aws.host.process_tags import INSTANCE_VARIABLE

COMMANDS: CommandTable = {
    **image_commands.COMMANDS,
    **container_commands.COMMANDS,
    **inspect_command.COMMANDS,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        command = " ".join(["docker", *sys.argv[1:]][:4])
        raise DockerError(
            f"local_aws (processes) does not support: {command} ...: {message}; use docker", 125
        )


def main(directory: str, arguments: list[str]) -> int:
    """Run one docker command and return its exit code."""
    try:
        state = DockerState(Path(directory))
        if arguments[:1] == ["--version"]:
            arguments = ["version"]
        options = _parser().parse_args(arguments)
        if not state.settings.privileged:
            raise DockerError(NO_DAEMON)
        os.environ.setdefault(INSTANCE_VARIABLE, state.settings.instance)
        found = state.settings.interpreters
        # The build's own programs come first.
        os.environ.update(found, PATH=os.pathsep.join([os.environ.get("PATH", ""), found["PATH"]]))
        code: int = options.command_function(state, options) or 0
        return code
    except DockerError as error:
        print(error, file=sys.stderr)
        return error.code
    except BrokenPipeError:
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="docker", add_help=False, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, parser_class=_Parser, metavar="COMMAND")
    for name, (function, options) in COMMANDS.items():
        command = commands.add_parser(name, add_help=False, allow_abbrev=False)
        command.set_defaults(command_function=function)
        for flags, keywords in options:
            command.add_argument(*flags, **keywords)
    return parser
