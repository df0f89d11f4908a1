"""Remove a service from this project: its folder, and its entry in the catalogue of cdk.json."""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from infrastructure.config.catalogue import SAMPLE, SERVICES
from infrastructure.constructs.source import PROJECT
from infrastructure.errors import AppError
from tools.new_service import copy_service, write_settings
from tools.service_name import package_of


def remove_service(project: Path, name: str) -> Path:
    """Remove the entry of a service and its folder, which git has; return the folder.

    Raises AppError for a service that is not in the catalogue, or a folder with work that would be lost.
    """
    settings = json.loads((project / "cdk.json").read_text("utf-8"))
    catalogue = settings["context"].get(SERVICES, {})
    if name not in catalogue or name == SAMPLE.name:
        known = ", ".join(one for one in catalogue if one != SAMPLE.name) or "none"
        raise AppError(
            f"the catalogue of cdk.json has no service {name!r}, only {known}: choose another NAME"
        )
    place = project / str(catalogue.pop(name).get("folder", f"{SERVICES}/{name}"))
    if place.exists() and not (is_committed(project, place) or is_unchanged(project, place, name)):
        raise AppError(
            f"{place.relative_to(project)} has work that git does not have: commit it, then try again"
        )
    write_settings(project, settings)
    if place.exists():
        shutil.rmtree(place)
    return place


def is_committed(project: Path, place: Path) -> bool:
    """Return whether git has every file of a folder; it ignores what can be made again."""
    command = ["git", "-C", str(project), "status", "--porcelain", "--untracked-files=all", "--", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - an argument list
    return done.returncode == 0 and not done.stdout


def is_unchanged(project: Path, place: Path, name: str) -> bool:
    """Return whether a folder is as `make new-service` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, name)
        copy_service(project, fresh, package=package_of(name))
        return _is_within(filecmp.dircmp(place, fresh))


def _is_within(compared: filecmp.dircmp[str]) -> bool:
    """Return whether the left folder has nothing of its own, except what Python and pytest write."""
    own = [one for one in compared.left_only if one not in ("__pycache__", ".pytest_cache")]
    _, differing, unreadable = filecmp.cmpfiles(
        compared.left, compared.right, compared.common_files, shallow=False
    )
    if own or differing or unreadable or compared.common_funny:
        return False
    return all(_is_within(one) for one in compared.subdirs.values())


def main(name: str) -> int:
    """Remove one service from this project, and print what is left to do."""
    place = remove_service(PROJECT, name)
    print(f"Removed {place.relative_to(PROJECT)}, and the entry of {name} in cdk.json.")
    print(f"An environment of it that is deployed: python -m operations destroy {name}-dev")
    return 0
