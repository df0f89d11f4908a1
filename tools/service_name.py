"""Which names a further service cannot have, each with what would go wrong."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from infrastructure.config.catalogue import NAME_WORDS, read_name, shadowed_environment
from infrastructure.constructs.source import IGNORED, SERVICE_FOLDER
from infrastructure.errors import AppError

# What the sample's package is called.
PACKAGE = "greeter"
# What the folder with the code is called in a service's own repository.
FOLDER = "service"
# Packages of the requirements whose modules are called otherwise.
MODULES = {"pyyaml": "yaml", "markdown-it-py": "markdown_it", "pytest": "py"}


def check_name(project: Path, name: str, environments: Iterable[str]) -> None:
    """Raise AppError for a name whose package could not be imported, or which is an environment's already."""
    try:
        read_name(name)
    except ValueError:
        raise AppError(f"NAME is {name!r}, and must be {NAME_WORDS}: make new-service NAME=orders") from None
    why = _taken(project / SERVICE_FOLDER, package_of(name))
    if taken := shadowed_environment(name, environments):
        why = f"{name}- would begin the names of the environment {taken} of cdk.json"
    if why:
        raise AppError(f"NAME is {name!r}, but {why}: choose another NAME")


def package_of(name: str) -> str:
    """Return what the package of a service is called."""
    return name.replace("-", "_")


def _taken(sample: Path, package: str) -> str | None:
    """Say what else a package of this name would be; None if nothing."""
    if keyword.iskeyword(package):
        return f"{package} is a word of Python's, so that no package can be called so"
    if package in sys.stdlib_module_names:
        return f"Python's own module {package} would hide its package, or be hidden by it"
    if package in _required(sample):
        return f"the service needs another package {package}"
    if package in _beside(sample) or any(fnmatch(package, pattern) for pattern in IGNORED):
        return f"something else in a service's folder is called {package}"
    return None


def _required(sample: Path) -> set[str]:
    """The modules of all packages that the service and its tests are installed with."""
    found = {
        name.lower()
        for path in sample.glob("requirements*.txt")
        for name in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text("utf-8"), re.M)
    }
    return {re.sub(r"[-.]", "_", name) for name in found} | {MODULES[name] for name in found & MODULES.keys()}


def _beside(sample: Path) -> set[str]:
    """What stands where the package will stand, or where its tests import from."""
    names = {path.stem for path in (*sample.glob("*"), *sample.glob("tests/*.py"))}
    return {FOLDER, *names} - {PACKAGE}
