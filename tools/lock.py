"""Write the requirements of a service again, with their hashes, after a change of its pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infrastructure.config.catalogue import CODE_FOLDER, SAMPLE, SAMPLE_FOLDER, SERVICES
from infrastructure.constructs.source import PROJECT
from infrastructure.errors import AppError

UV = Path(sys.prefix, "bin", "uv")
# Files of the code's folder -> the extras that they contain.
FILES: dict[str, tuple[str, ...]] = {"requirements.txt": (), "requirements-dev.txt": ("--extra", "dev")}
# The service runs on 3.9. A lock has hashes and no addresses.
OPTIONS = ("--python-version", "3.9", "--generate-hashes", "--no-emit-index-url")


def lock(project: Path, name: str, uv: Path = UV) -> list[Path]:
    """Write both files of a service; return them.

    Raises AppError for a service without a folder, or with uv's reason.
    """
    sample = name == SAMPLE.name
    folder = project if sample else project / SERVICES / name
    code = SAMPLE_FOLDER if sample else CODE_FOLDER
    if not (folder / code / "pyproject.toml").is_file():
        raise AppError(f"{(folder / code).relative_to(project)} has no pyproject.toml: choose another NAME")
    # From the folder that becomes the repository, so that the header names a command that works there too.
    for file, extras in FILES.items():
        given, written = f"{code}/pyproject.toml", f"{code}/{file}"
        command = [str(uv), "pip", "compile", "--quiet", given, *extras, *OPTIONS, "-o", written]
        done = subprocess.run(  # noqa: S603 - an argument list
            command, cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise AppError(f"{written} was not written: {' '.join(done.stderr.split())}")
    return [folder / code / file for file in FILES]


def main(name: str) -> int:
    """Lock one service of this project."""
    for path in lock(PROJECT, name):
        print(f"Wrote {path.relative_to(PROJECT)}")
    return 0
