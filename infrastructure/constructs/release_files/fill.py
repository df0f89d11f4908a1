"""Fill taskdef.json and appspec.yaml of a release: the platform's files, with what the commit may decide.

CodeBuild runs this file on Python 3.9, with the platform's two files beside it and the commit as the current
folder. Each value is one of the project's environment variables; `<IMAGE1_NAME>` and `<TASK_DEFINITION>`
stay, because CodePipeline fills them (pitfall D2). `PROMOTE_TO`, if it is given, names further environments
and what is different there: taskdef-staging.json and appspec-staging.yaml (docs/access.md).
"""

from __future__ import annotations

import json
import os
import re
import string
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TASK, APPSPEC = "taskdef.json", "appspec.yaml"
BUILDSPECS = ("buildspec.yml", "buildspec-image.yml")
PAGE = "docs/services.md of the platform's project says what a commit decides"
# In bytes: ECS's limit of a task definition.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
LONGEST = 65_536
# The sizes, each with the variable that holds the largest.
SIZES = {"cpu": "TASK_CPU", "memory": "TASK_MEMORY"}
# In seconds: the target groups' deregistration delay, and Fargate's longest (pitfall N2).
STOP_TIMEOUT = range(30, 121)
# Publishers of public ECR that nobody else can be. By digest, so that nobody changes a sidecar afterwards.
SIDECAR_IMAGES = ("public.ecr.aws/aws-observability/", "public.ecr.aws/docker/library/")
SIDECAR_FIELDS = frozenset(
    {
        "command",
        "cpu",
        "dependsOn",
        "entryPoint",
        "environment",
        "essential",
        "healthCheck",
        "image",
        "memory",
    }
    | {"memoryReservation", "name", "stopTimeout", "workingDirectory"}
)
INSTEAD = {
    "taskRoleArn": "what tasks may do is `taskStatements` of the catalogue",
    "healthCheck": "its path is `healthPath` of the catalogue",
    "portMappings": "the port is `port` of the catalogue",
    "secrets": "name the variable in `secrets` of the catalogue",
    "image": "the image is the one that this build pushes",
}


class RefusedError(Exception):
    """The commit decides what is the platform's; the message names the field, and what to do."""


def refuse(field: str) -> RefusedError:
    """Return the error for a field that is not the commit's to decide."""
    instead = INSTEAD.get(field.rpartition(".")[2].partition("[")[0], "ask the platform team to change it")
    return RefusedError(f"{TASK}: {field} is the platform's: remove it from the commit; {instead}. {PAGE}")


def release_files(platform: Path, commit: Path, values: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each file by its name; raises RefusedError, or KeyError for a missing variable."""
    check_unread_files(platform, commit)
    given = read_commit(commit / TASK)
    task = json.loads((platform / TASK).read_text())
    appspec = (platform / APPSPEC).read_text()
    environments = {"": {}, **json.loads(values.get("PROMOTE_TO", "{}"))}
    files = {}
    for name, own in environments.items():
        end, here = (f"-{name}" if name else ""), {**values, **own}
        files[f"taskdef{end}.json"] = json.dumps(task_definition(task, given, here), indent=2)
        files[f"appspec{end}.yaml"] = fill(appspec, here)
    return files


def check_unread_files(platform: Path, commit: Path) -> None:
    """Refuse a file that would change nothing, because the platform's is used."""
    for name in BUILDSPECS:
        if (commit / name).exists():
            raise RefusedError(
                f"{name} of the commit is not read, the platform's is: remove it from the commit"
            )
    if os.path.lexists(commit / APPSPEC):
        theirs, ours = _lines(read_file(commit / APPSPEC)), _lines((platform / APPSPEC).read_text())
        changed = [one for one in theirs if one not in ours] + [one for one in ours if one not in theirs]
        if changed:
            raise RefusedError(
                f"{APPSPEC} of the commit is not read, and differs from the platform's in "
                f"`{changed[0].strip()[:80]}`: remove the file from the commit"
            )


def _lines(text: str) -> list[str]:
    lines = (line.partition("#")[0].rstrip() for line in text.splitlines())
    return [line for line in lines if line]


def read_file(path: Path) -> str:
    """Read a file of the commit that is one, not a link to another, and not too long."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LONGEST:
        raise RefusedError(f"{path.name} is no file of at most {LONGEST} bytes: write it anew")
    return path.read_text(errors="replace")


def read_commit(path: Path) -> dict[str, Any]:
    """Read the commit's taskdef.json; without one, the platform decides everything."""
    if not os.path.lexists(path):
        return {}
    try:
        given = json.loads(read_file(path))
    # Lists of lists by the thousand are a RecursionError.
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{TASK} is no JSON: {error}") from error
    containers = given.get("containerDefinitions", []) if isinstance(given, dict) else None
    if not isinstance(containers, list) or not all(isinstance(one, dict) for one in containers):
        raise RefusedError(f"{TASK} is no task definition: an object with a list `containerDefinitions`")
    return dict(given)


def task_definition(
    platform: Mapping[str, Any], given: Mapping[str, Any], values: Mapping[str, str]
) -> dict[str, Any]:
    """Return the filled task definition of one environment."""
    (ours,) = platform["containerDefinitions"]
    rest = {key: value for key, value in given.items() if key not in (*SIZES, "containerDefinitions")}
    check_equal(rest, platform, "")
    task: dict[str, Any] = filled(platform, values)
    for key, largest in SIZES.items():
        if given.get(key, platform[key]) != platform[key]:
            task[key] = size(key, given[key], values[largest])
    (app,) = task["containerDefinitions"]
    for mapping in app["portMappings"]:
        mapping["containerPort"] = int(mapping["containerPort"])
    for container in given.get("containerDefinitions", []):
        if container.get("name") in (ours["name"], app["name"]):
            add_to_app(app, ours, container)
        else:
            task["containerDefinitions"].append(sidecar(container, app))
    add_variables(app, json.loads(values.get("TASK_ENVIRONMENT", "[]")))
    for stored in ("TASK_SECRETS", "TASK_PARAMETERS"):
        add_variables(app, json.loads(values.get(stored, "[]")), "secrets")
    return task


def add_to_app(app: dict[str, Any], ours: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Add what the commit decides of the service's own container: variables, and the time to stop."""
    own = ("environment", "stopTimeout", "name")
    check_equal({key: value for key, value in given.items() if key not in own}, ours, f"{app['name']}.")
    variables = checked_variables(app["name"], given.get("environment", []), ours["environment"])
    add_variables(app, variables)
    app["stopTimeout"] = stop_timeout(app["name"], given.get("stopTimeout", ours["stopTimeout"]))


def add_variables(
    app: dict[str, Any], variables: Sequence[Mapping[str, str]], field: str = "environment"
) -> None:
    """Add variables; one that is there already is the platform's. ECS reads the values of `secrets`."""
    taken = {one["name"] for one in app["environment"]}
    for one in variables:
        if one["name"] in taken:
            raise refuse(f"{app['name']}.environment[{one['name']}]")
        app.setdefault(field, []).append(dict(one))


def checked_variables(
    container: str, variables: Any, ours: Sequence[Mapping[str, str]] = ()
) -> list[Mapping[str, str]]:
    """Return the variables of a commit without `ours`: texts, which are not filled."""
    own: list[Any] = [one for one in variables if one not in ours] if isinstance(variables, list) else [None]
    for one in own:
        if not isinstance(one, dict) or set(one) != {"name", "value"}:
            raise RefusedError(f'{TASK}: {container}.environment is no list of {{"name": "A", "value": "b"}}')
        if not all(isinstance(text, str) for text in one.values()) or "${" in one["value"]:
            raise RefusedError(
                f"{TASK}: {container}.environment[{one['name']}] is no text: write the value itself"
            )
    return own


def sidecar(given: Mapping[str, Any], app: Mapping[str, Any]) -> dict[str, Any]:
    """Return a further container, with the platform's limits and log."""
    name = str(given.get("name", ""))
    for key in given:
        if key not in SIDECAR_FIELDS:
            raise refuse(f"{name}.{key}")
    image = str(given.get("image", ""))
    if not image.startswith(SIDECAR_IMAGES) or "@sha256:" not in image:
        allowed = " or ".join(SIDECAR_IMAGES)
        raise RefusedError(f"{TASK}: the image of {name} is not one of {allowed} by its digest: {image}")
    log = json.loads(json.dumps(app["logConfiguration"]))
    log["options"]["awslogs-stream-prefix"] = name
    limits = {key: app[key] for key in ("linuxParameters", "readonlyRootFilesystem")}
    own: dict[str, Any] = {"environment": checked_variables(name, given.get("environment", []))}
    if "stopTimeout" in given:
        own["stopTimeout"] = stop_timeout(name, given["stopTimeout"])
    return {**given, **own, **limits, "logConfiguration": log}


def stop_timeout(container: str, given: Any) -> int:
    """Return the seconds that a container has to stop."""
    if not isinstance(given, int) or given not in STOP_TIMEOUT:
        limits = f"{STOP_TIMEOUT.start} to {STOP_TIMEOUT.stop - 1}"
        raise RefusedError(f"{TASK}: {container}.stopTimeout is {given}, not {limits} seconds")
    return given


def size(key: str, given: Any, largest: str) -> str:
    """Return a smaller size of the task; ECS knows which sizes there are."""
    if not isinstance(given, str) or not re.fullmatch("[0-9]{1,6}", given) or int(given) > int(largest):
        raise RefusedError(
            f"{TASK}: {key} is {json.dumps(given)[:80]}, "
            f'not a text up to "{largest}", which the catalogue allows'
        )
    return given


def check_equal(given: Any, ours: Any, path: str) -> None:
    """Refuse the first field of `given` that is not as in `ours`; the commit may leave fields out."""
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(ours.get(key), dict):
            check_equal(value, ours[key], f"{path}{key}.")
        elif value != ours.get(key):
            raise refuse(f"{path}{key}")


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return JSON with every text filled."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {key: filled(one, values) for key, one in value.items()}
    return [filled(one, values) for one in value] if isinstance(value, list) else value


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace every `${NAME}`; raises KeyError for a missing variable."""
    return string.Template(text).substitute(values)


def main() -> None:
    """Replace the commit's files by those of the release: all of them, or none."""
    values = {name: value for name, value in os.environ.items() if value}
    commit = Path.cwd()
    try:
        files = release_files(Path(__file__).parent, commit, values)
    except KeyError as missing:
        sys.exit(f"{TASK} or {APPSPEC} needs {missing}: set it in the environment of the CodeBuild project")
    except RefusedError as error:
        # A commit decides what is quoted: one line of the log, and not a long one.
        sys.exit(" ".join(str(error).split())[:500])
    # Nothing of the commit may be taken for a file of the release.
    for path in [
        *commit.glob("taskdef*.json"),
        *commit.glob("appspec*.yaml"),
        *commit.glob("imageDetail.json"),
    ]:
        path.unlink()
    for name, text in files.items():
        (commit / name).write_text(text)


if __name__ == "__main__":
    main()
