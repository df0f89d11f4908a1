"""The names that a further service cannot have, each with the reason."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from infrastructure.config.catalogue import (
    CODE_FOLDER,
    NAME_WORDS,
    SAMPLE_FOLDER,
    read_name,
    shadowed_environment,
)
from infrastructure.constructs.source import IGNORED
from infrastructure.errors import AppError

# The sample's package.
PACKAGE = "greeter"
# Packages of the requirements whose module has another name.
MODULES = {"pytest": "py"}


def check_name(project: Path, name: str, environments: Iterable[str]) -> None:
    """Raise AppError for a name whose package could not be imported, or that shadows an environment."""
    try:
        read_name(name)
    except ValueError:
        raise AppError(f"NAME is {name!r}, and must be {NAME_WORDS}: make new-service NAME=orders") from None
    reason = _conflict(project / SAMPLE_FOLDER, package_of(name))
    if shadowed := shadowed_environment(name, environments):
        reason = f"{name}- would begin the names of the environment {shadowed} of cdk.json"
    if reason:
        raise AppError(f"NAME is {name!r}, but {reason}: choose another NAME")


def package_of(name: str) -> str:
    """Return the name of a service's package."""
    return name.replace("-", "_")


def _conflict(sample: Path, package: str) -> str | None:
    """Return what a package of this name conflicts with, if anything."""
    if keyword.iskeyword(package):
        return f"{package} is a keyword of Python"
    # The list leaves out the package of Python's own tests.
    if package in sys.stdlib_module_names | {"test"}:
        return f"Python's own module {package} would hide its package, or be hidden by it"
    if package in _required(sample):
        return f"the service needs another package {package}"
    if package in _neighbours(sample) or any(fnmatch(package, pattern) for pattern in IGNORED):
        return f"a service's folder has another file {package}"
    return None


def _required(sample: Path) -> set[str]:
    """Return the modules of all packages that the service and its tests require."""
    found = {
        name.lower()
        for path in sample.glob("requirements*.txt")
        for name in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text("utf-8"), re.M)
    }
    return {re.sub(r"[-.]", "_", name) for name in found} | {MODULES[name] for name in found & MODULES.keys()}


def _neighbours(sample: Path) -> set[str]:
    """Return the modules beside the package, and those beside its tests."""
    names = {path.stem for path in (*sample.glob("*"), *sample.glob("tests/*.py"))}
    return {CODE_FOLDER, *names} - {PACKAGE}
