"""Maps an image's variables, programs and paths to its unpacked files, in place of chroot."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

# Lists of paths in the image. Other variables keep their values.
PATH_LISTS = ("PATH", "PYTHONPATH")


class CommandNotFoundError(Exception):
    """The image has no such program. The text is runc's."""


def image_variables(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return an image's environment with its path lists mapped to the unpacked file system."""
    local = dict(variables)
    for name in PATH_LISTS:
        if name in local:
            local[name] = os.pathsep.join(_inside(root, entry) for entry in local[name].split(os.pathsep))
    local.setdefault("HOME", str(root / "root"))
    return local


def _inside(root: Path, entry: str) -> str:
    return f"{root}{entry}" if entry.startswith("/") else entry


def find_program(name: str, root: Path, variables: Mapping[str, str], directory: Path) -> Path:
    """Return a program of the image, by its path or on the image's PATH (already mapped).

    A path that is not absolute begins at the working directory. Raises `CommandNotFoundError`, also for a
    program of this machine that the image does not have.
    """
    if "/" in name:
        path = root / name.lstrip("/") if name.startswith("/") else directory / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
        raise CommandNotFoundError(f'exec: "{name}": stat {name}: no such file or directory')
    found = shutil.which(name, path=variables.get("PATH", ""))
    if found is None:
        raise CommandNotFoundError(f'exec: "{name}": executable file not found in $PATH')
    return Path(found)


def map_paths(root: Path, arguments: Iterable[str]) -> list[str]:
    """Map arguments that are absolute paths of the image to its unpacked file system."""
    return [
        f"{root}{each}" if each.startswith("/") and each != "/" and (root / each[1:]).exists() else each
        for each in arguments
    ]
