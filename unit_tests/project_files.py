"""The project's own files, without what `make` and its tools write."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# Of the names at the top that begin with a dot, these folders are ours.
HIDDEN = {".ci", ".devcontainer", ".github"}
# Python and its tools write these into any folder.
CACHES = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
# `services` holds what `make new-service` writes.
GENERATED = {"node_modules", "cdk.out", "evidence", "reports", "sbom", "services"}


def files() -> list[Path]:
    """List them, relative to the project."""
    found: list[Path] = []
    for path in PROJECT.iterdir():
        if path.is_file():
            found.append(path)
        elif path.name in HIDDEN or not (path.name[0] == "." or path.name in GENERATED):
            found += (below for below in path.rglob("*") if below.is_file() and not CACHES & set(below.parts))
    return sorted(path.relative_to(PROJECT) for path in found)


FILES = files()
