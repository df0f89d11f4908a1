"""What the modules of `docker` commands share: the shape of their tables, output, and `KEY=VALUE` options."""

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

from local_aws.containers.docker_shim.state import DockerState

CommandFunction = Callable[[DockerState, argparse.Namespace], int | None]
# The flags and the keyword arguments of `ArgumentParser.add_argument`.
Option = tuple[tuple[str, ...], dict[str, Any]]
CommandTable = dict[str, tuple[CommandFunction, list[Option]]]

QUIET: Option = (("-q", "--quiet"), {"action": "store_true"})
FORMAT: Option = (("-f", "--format"), {"default": ""})


def write_line(text: str) -> None:
    """Write a line to standard output and flush it: a build's log is read while the build runs."""
    print(text, flush=True)


def key_values(items: Iterable[str]) -> dict[str, str]:
    """Read `--env` or `--build-arg` values; a name alone takes its value from this process's environment."""
    values = {}
    for item in items:
        name, equals, value = item.partition("=")
        if equals:
            values[name] = value
        elif name in os.environ:
            values[name] = os.environ[name]
    return values
