"""Selects the container engine: docker or podman if one of them works, else processes."""

import logging
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_aws.containers.docker import cleanup, probe
from local_aws.containers.docker.engine import CliEngine
from local_aws.containers.docker_shim.shim import DockerShim
from local_aws.containers.engine import ContainerEngine
from local_aws.containers.processes.engine import ProcessEngine
from local_aws.core.errors import LocalAwsError

if TYPE_CHECKING:
    from local_aws.core.context import Context

logger = logging.getLogger("local_aws")

VARIABLE = "LOCAL_AWS_CONTAINERS"
ENGINES = ("docker", "podman")
CHOICES = ("auto", "processes", *ENGINES)


class NoEngineError(LocalAwsError):
    """The requested engine does not work on this machine."""


def select_engine(context: "Context") -> ContainerEngine:
    """Return the engine that `LOCAL_AWS_CONTAINERS` names; by default the first one that works.

    Raises `NoEngineError` for an engine that is requested by name and does not work.
    """
    requested = os.environ.get(VARIABLE) or "auto"
    if requested not in CHOICES:
        raise NoEngineError(f"{VARIABLE} is {requested!r}: it must be one of {', '.join(CHOICES)}")
    # Left over from an earlier local_aws of this folder whose reaper was killed too.
    cleanup.remove_resources(context.work / "containers")
    engine = _select(context, requested)
    logger.info("containers: %s", engine.about)
    return engine


def _select(context: "Context", requested: str) -> ContainerEngine:
    if requested == "processes":
        return _process_engine(context, "as requested")
    reasons = []
    for name in ENGINES if requested == "auto" else (requested,):
        try:
            return _cli_engine(context, name)
        except probe.EngineUnusableError as error:
            reasons.append(str(error))
    reason = "; ".join(reasons)
    if requested != "auto":
        raise NoEngineError(
            f"{reason}: fix it, or select another engine with {VARIABLE} ({', '.join(CHOICES)})"
        )
    return _process_engine(context, reason)


def _process_engine(context: "Context", reason: str) -> ProcessEngine:
    return ProcessEngine(context, DockerShim(context), f"processes ({reason})")


def _cli_engine(context: "Context", name: str) -> CliEngine:
    command = probe.find_command(name, context.instance)
    folder = context.work / "containers"
    # Written before anything is created: the reaper reads it to know what to remove.
    cleanup.Record(folder).write(command, urlsplit(context.endpoint).netloc)
    try:
        probe.run_trial_task(command)
    except probe.EngineUnusableError:
        cleanup.remove_resources(folder)
        raise
    return CliEngine(context, command)
