"""Chooses the container engine: docker or podman where one really works, else processes."""

import logging
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_aws.containers.docker import cleanup, probe
from local_aws.containers.docker.engine import CliContainers
from local_aws.containers.engine import Containers
from local_aws.containers.processes.engine import Processes
from local_aws.core.errors import LocalAwsError

if TYPE_CHECKING:
    from local_aws.core.context import Context

logger = logging.getLogger("local_aws")

VARIABLE = "LOCAL_AWS_CONTAINERS"
ENGINES = ("docker", "podman")
CHOICES = ("auto", "processes", *ENGINES)


class NoEngineError(LocalAwsError):
    """The engine that was asked for does not work here."""


def find(context: "Context") -> Containers:
    """Return the engine that `LOCAL_AWS_CONTAINERS` asks for; by default the first that works.

    Raises `NoEngineError` for one that was asked for by name and does not work.
    """
    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in CHOICES:
        raise NoEngineError(f"{VARIABLE} is {wanted!r}: it must be one of {', '.join(CHOICES)}")
    # What an earlier local_aws of this folder left, when not even its reaper lived.
    cleanup.sweep(context.state / "containers")
    found = _find(context, wanted)
    logger.info("containers: %s", found.about)
    return found


def _find(context: "Context", wanted: str) -> Containers:
    if wanted == "processes":
        return Processes(context, "processes (as asked for)")
    reasons = []
    for name in ENGINES if wanted == "auto" else (wanted,):
        try:
            return _engine(context, name)
        except probe.EngineUnusableError as error:
            reasons.append(str(error))
    why = "; ".join(reasons)
    if wanted != "auto":
        raise NoEngineError(f"{why}: mend it, or choose another with {VARIABLE} ({', '.join(CHOICES)})")
    return Processes(context, f"processes ({why})")


def _engine(context: "Context", name: str) -> Containers:
    command = probe.answering(name, context.instance)
    folder = context.state / "containers"
    # Before anything is made: whatever ends this process, the reaper finds by it what to remove.
    cleanup.Record(folder).write(command, urlsplit(context.endpoint).netloc)
    try:
        probe.try_out(command)
    except probe.EngineUnusableError:
        cleanup.sweep(folder)
        raise
    return CliContainers(context, command)
