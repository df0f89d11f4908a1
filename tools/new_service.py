"""Writes a further service: a folder that works, and its entry in the catalogue of cdk.json.

`python -m tools.new_service NAME` copies the sample under another name; exit code 2 when it cannot.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from infrastructure.config.catalogue import NAME_WORDS, SERVICES
from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.constructs.source import (
    CONTRACT_FILES,
    IGNORED,
    OPTIONAL_FILES,
    PROJECT,
    SERVICE_FOLDER,
)
from infrastructure.errors import AppError
from tools.service_name import FOLDER, PACKAGE, check_name, package_of


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, as all of this command does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}: make new-service NAME=orders\n")


def new_service(project: Path, name: str) -> Path:
    """Write `services/NAME` and its entry in `project`; return the folder.

    Raises AppError for a name that is taken, or none.
    """
    settings = json.loads((project / "cdk.json").read_text("utf-8"))
    check_name(project, name, settings["context"].get(ENVIRONMENTS, {}))
    place = project / SERVICES / name
    catalogue = settings["context"].setdefault(SERVICES, {})
    if place.exists() or name in catalogue or name == SERVICE_FOLDER.replace("_", "-"):
        raise AppError(f"there is a service {name} already: choose another NAME")
    catalogue[name] = {"folder": f"{SERVICES}/{name}"}
    # Both are whole before either is there, so that nothing half-made stays, whatever happens.
    with tempfile.TemporaryDirectory(prefix=".new-service-", dir=project) as made:
        folder, written = Path(made, name), Path(made, "cdk.json")
        copy_service(project, folder, package=package_of(name))
        written.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
        shutil.copymode(project / "cdk.json", written)
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
        written.replace(project / "cdk.json")
    return place


def copy_service(project: Path, place: Path, *, package: str) -> None:
    """Write the sample into the folder `place`, its package under another name."""
    shutil.copytree(
        project / SERVICE_FOLDER,
        place / FOLDER,
        ignore=shutil.ignore_patterns(*IGNORED),
        dirs_exist_ok=True,
    )
    (place / FOLDER / PACKAGE).rename(place / FOLDER / package)
    for name in CONTRACT_FILES + OPTIONAL_FILES:
        if (project / name).is_file():
            shutil.copyfile(project / name, place / name)
    for path in place.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8").replace(SERVICE_FOLDER, FOLDER)
            path.write_text(re.sub(rf"\b{PACKAGE}\b", package, text), "utf-8")


def main() -> int:
    """Write one service, or say in one line what stands in the way."""
    parser = Parser(prog="python -m tools.new_service", description=__doc__)
    parser.add_argument("name", help=NAME_WORDS)
    name = parser.parse_args().name
    try:
        place = new_service(PROJECT, name)
    except (AppError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{place.relative_to(PROJECT)} is there, and cdk.json has it. To deploy it:")
    print(f"on this machine: make up SUFFIX={name}-dev")
    print(f"on AWS:          cdk deploy -c environmentSuffix={name}-dev")
    return 0


if __name__ == "__main__":
    sys.exit(main())
