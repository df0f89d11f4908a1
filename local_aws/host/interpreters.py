"""Finds a Python of a given version on this machine: base images of the process stand-in are made of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

# A pyenv shim is found on PATH: it may fail when run, and it is a script that leads elsewhere. So the
# interpreter itself says where it is, outside of an environment that it may belong to. Without ensurepip it
# makes no image.
_PROBE = (
    "import ensurepip, os, sys, venv; home = getattr(sys, '_base_executable', sys.executable); "
    "print('%d.%d' % sys.version_info[:2], os.path.realpath(home))"
)


class PythonNotFoundError(Exception):
    """No Python of the version that an image needs runs on this machine; the text says how to get one."""


@lru_cache
def find_python(version: str) -> Path:
    """Return an interpreter of `version` (as `3.9`) that really runs and can make environments.

    Looks at PATH, at the running interpreter, at uv's managed ones, then at pyenv's.
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
    """Return the real interpreter behind `python` if it starts, is of `version` and makes environments."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        answer = subprocess.run(  # noqa: S603 - the path of an interpreter found on this machine
            [python, "-c", _PROBE], capture_output=True, text=True, timeout=20, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found, _, real = answer.stdout.strip().partition(" ")
    return Path(real) if answer.returncode == 0 and found == version and real else None


def _candidates(version: str) -> Iterator[Path]:
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield Path(found)
    yield Path(getattr(sys, "_base_executable", sys.executable))
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    yield from _newest(managed, f"cpython-{version}.*", name)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from _newest(pyenv / "versions", f"{version}.*", name)


def _newest(folder: Path, pattern: str, name: str) -> Iterator[Path]:
    for home in sorted(folder.glob(pattern), key=_release, reverse=True):
        if (home / "bin" / name).exists():
            yield home / "bin" / name


def _release(home: Path) -> list[int]:
    return [int(part) for part in home.name.replace("-", ".").split(".") if part.isdigit()]
