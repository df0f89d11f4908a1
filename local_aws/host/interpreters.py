"""Finds a Python interpreter of a given version on this machine, for images that run as processes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

# A pyenv shim on PATH is a script that may fail, so the interpreter prints its own path, outside any virtual
# environment. An image needs ensurepip.
_PROBE = (
    "import ensurepip, os, sys, venv; home = getattr(sys, '_base_executable', sys.executable); "
    "print('%d.%d' % sys.version_info[:2], os.path.realpath(home))"
)


class PythonNotFoundError(Exception):
    """This machine has no Python of a version that an image needs; the message says how to install it."""


@lru_cache
def find_python(version: str) -> Path:
    """Return an interpreter of `version` (`3.9`) that runs and can create virtual environments.

    Searches PATH, the running interpreter, those of uv, then those of pyenv.
    Raises `PythonNotFoundError`.
    """
    for candidate in _candidates(version):
        real = probe(candidate, version)
        if real is not None:
            return real
    raise PythonNotFoundError(
        f"Python {version} is not on this machine: "
        f"run `uv python install {version}` or `pyenv install {version}`"
    )


def probe(python: Path, version: str) -> Path | None:
    """Return the real path of `python` if it runs, has `version` and can create virtual environments."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(  # noqa: S603 - the path of an interpreter found on this machine
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=20, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found, _, real = done.stdout.strip().partition(" ")
    return Path(real) if done.returncode == 0 and found == version and real else None


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield Path(found)
    yield Path(getattr(sys, "_base_executable", sys.executable))
    uv, pyenv = installations()
    yield from _newest(uv, f"cpython-{version}.*", name)
    yield from _newest(pyenv, f"{version}.*", name)


def installations() -> tuple[Path, Path]:
    """Return the folders in which uv and pyenv install interpreters."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return uv, pyenv / "versions"


def search_variables() -> dict[str, str]:
    """Return the variables with which another process finds the interpreters that this one finds."""
    uv, pyenv = installations()
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "UV_PYTHON_INSTALL_DIR": str(uv), "PYENV_ROOT": str(pyenv.parent)}


def _newest(folder: Path, pattern: str, name: str) -> Iterator[Path]:
    for home in sorted(folder.glob(pattern), key=_release, reverse=True):
        if (home / "bin" / name).exists():
            yield home / "bin" / name


def _release(home: Path) -> list[int]:
    return [int(part) for part in home.name.replace("-", ".").split(".") if part.isdigit()]
