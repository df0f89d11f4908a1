"""How a process sees an image without chroot: its variables, programs and paths, in the unpacked files."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

# Lists of paths in the image; other variables are handed over as they are.
PATH_LISTS = ("PATH", "PYTHONPATH")


class CommandNotFoundError(Exception):
    """The image has no such program; the text is runc's."""


def image_variables(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return an image's environment with its path lists pointing into the unpacked file system."""
    local = dict(variables)
    for name in PATH_LISTS:
        if name in local:
            local[name] = os.pathsep.join(_inside(root, entry) for entry in local[name].split(os.pathsep))
    local.setdefault("HOME", str(root / "root"))
    return local


def _inside(root: Path, entry: str) -> str:
    return f"{root}{entry}" if entry.startswith("/") else entry


def find_program(name: str, root: Path, variables: Mapping[str, str]) -> Path:
    """Return a program of the image, by its absolute path or on the image's (already local) PATH.

    Raises `CommandNotFoundError`; a program of this machine that the image lacks is not found.
    """
    if name.startswith("/"):
        path = root / name.lstrip("/")
        if path.is_file() and os.access(path, os.X_OK):
            return path
        raise CommandNotFoundError(f'exec: "{name}": stat {name}: no such file or directory')
    found = shutil.which(name, path=variables.get("PATH", ""))
    if found is None:
        raise CommandNotFoundError(f'exec: "{name}": executable file not found in $PATH')
    return Path(found)


def translate(root: Path, words: Iterable[str]) -> list[str]:
    """Return arguments with absolute paths that exist in the image pointing into its file system."""
    return [
        f"{root}{word}" if word.startswith("/") and word != "/" and (root / word[1:]).exists() else word
        for word in words
    ]
