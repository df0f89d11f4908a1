"""Find the parameters that a task of this release will read, before an image is built that could not start.

CodeBuild runs this file on Python 3.9, with the AWS CLI, after `fill.py`, in the folder of the commit. ECS
starts no task without them, and CodeDeploy waits an hour for one (pitfall E3). It requests their tags,
because the build may read no value.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


class MissingError(Exception):
    """A parameter is not there, or cannot be found out about; the message says what to do."""


def declared(task: Path) -> dict[str, str]:
    """Return the parameters of the filled task definition, by their variables."""
    containers = json.loads(task.read_text())["containerDefinitions"]
    return {one["name"]: one["valueFrom"] for each in containers for one in each.get("secrets", ())}


def exists(parameter: str) -> bool:
    """Return whether a parameter exists. Raises MissingError with the CLI's words if that is not known."""
    command = ["aws", "ssm", "list-tags-for-resource", "--resource-type", "Parameter"]
    command += ["--resource-id", parameter]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the AWS CLI
    if done.returncode and "InvalidResourceId" not in done.stderr:
        raise MissingError(f"cannot find out whether {parameter} exists: {done.stderr.strip()}")
    return done.returncode == 0


def find(task: Path) -> None:
    """Raise MissingError with the commands that set the variables without a value."""
    missing = [parameter for parameter in declared(task).values() if not exists(parameter)]
    if missing:
        # The parameter of DATABASE_URL is /orders-dev/DATABASE_URL.
        commands = ["python -m operations secrets set " + " ".join(one.split("/")[1:]) for one in missing]
        raise MissingError(
            "ECS would start no task (ResourceInitializationError: invalid ssm parameters: "
            f"{', '.join(missing)}): run {', '.join(commands)}, then retry the stage"
        )


if __name__ == "__main__":
    try:
        find(Path("taskdef.json"))
    except MissingError as error:
        sys.exit(str(error))
