"""Write a further service: a folder that works, and its entry in the catalogue of cdk.json."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from infrastructure.config.catalogue import CODE_FOLDER, SAMPLE_FOLDER, SERVICES
from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.constructs.source import (
    CONTRACT_FILES,
    IGNORED,
    OPTIONAL_FILES,
    PROJECT,
)
from infrastructure.errors import AppError
from infrastructure.naming import HEALTH_PATH
from tools.service_name import PACKAGE, check_name, package_of

# The sample's names its package, so that what another application copies would not be found.
DOCKERIGNORE = f"""# What the image can copy: all of the service but its tests.
*
!{CODE_FOLDER}
{CODE_FOLDER}/tests
**/__pycache__
"""


def new_service(project: Path, name: str) -> Path:
    """Write `services/NAME` and its entry in `project`; return the folder.

    Raises AppError for a name that is taken or not valid.
    """
    settings = json.loads((project / "cdk.json").read_text("utf-8"))
    check_name(project, name, settings["context"].get(ENVIRONMENTS, {}))
    place = project / SERVICES / name
    catalogue = settings["context"].setdefault(SERVICES, {})
    if place.exists() or name in catalogue or name == SAMPLE_FOLDER.replace("_", "-"):
        raise AppError(f"a service {name} exists already: choose another NAME")
    catalogue[name] = {"folder": f"{SERVICES}/{name}"}
    # Complete before it is moved into place, so that an error leaves nothing behind.
    with tempfile.TemporaryDirectory(prefix=".new-service-", dir=project) as staging:
        folder = Path(staging, name)
        copy_service(project, folder, package=package_of(name))
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
        write_settings(project, settings)
    return place


def write_settings(project: Path, settings: object) -> None:
    """Write cdk.json: the whole of it, or nothing."""
    path = project / "cdk.json"
    written = path.with_name("cdk.json.new")
    written.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    shutil.copymode(path, written)
    written.replace(path)


def copy_service(project: Path, place: Path, *, package: str) -> None:
    """Copy the sample into the folder `place`, with its package under another name."""
    shutil.copytree(
        project / SAMPLE_FOLDER,
        place / CODE_FOLDER,
        ignore=shutil.ignore_patterns(*IGNORED),
        dirs_exist_ok=True,
    )
    (place / CODE_FOLDER / PACKAGE).rename(place / CODE_FOLDER / package)
    for name in CONTRACT_FILES + OPTIONAL_FILES:
        if (project / name).is_file():
            shutil.copyfile(project / name, place / name)
    for path in place.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8").replace(SAMPLE_FOLDER, CODE_FOLDER)
            path.write_text(re.sub(rf"\b{PACKAGE}\b", package, text), "utf-8")
    (place / ".dockerignore").write_text(DOCKERIGNORE, "utf-8")


def changes(place: Path, package: str) -> list[str]:
    """Return what another application must change in a copy of the sample, in the order of a release."""
    code, name = place / CODE_FOLDER, place.name
    return [
        f"{code / 'pyproject.toml'}: the dependencies, then `make lock NAME={name}`; the settings of pytest, "
        "which make a warning an error, and find tests in files named test_*.py only",
        f"{code / 'tests'}: at least one test must run (Django: conftest.py sets DJANGO_SETTINGS_MODULE)",
        "your settings: no password or SECRET_KEY in the code, where the scan finds it (read a variable, "
        "which `environment` of the entry sets); any Host, since a health check has the task's address "
        "(Django: ALLOWED_HOSTS); no file is written, and none of a database",
        f"{place / 'Dockerfile'}: the folder that it copies, {package}, and the CMD, {package}:create_app() "
        "(ASGI: `--worker-class uvicorn.workers.UvicornWorker`)",
        f"{code / 'gunicorn.conf.py'}: it imports {package}.logs",
        f"cdk.json, `healthPath` of {name}: what responds with 200 without a sign-in (now {HEALTH_PATH})",
    ]


def main(name: str) -> int:
    """Write one service to this project, and print how to deploy it."""
    place = new_service(PROJECT, name)
    print(f"Wrote {place.relative_to(PROJECT)}, and its entry in cdk.json. To deploy it:")
    print(f"on this machine: make up SUFFIX={name}-dev")
    print(f"on AWS:          cdk deploy -c environmentSuffix={name}-dev")
    print(f"After a change, in a minute and without a pipeline: make check-service NAME={name}")
    print("To put an application of yours in the place of the copy, change:")
    for what in changes(place.relative_to(PROJECT), package_of(name)):
        print(f"- {what}")
    print("What a release requires of it, and the keys of its entry: docs/services.md")
    return 0
