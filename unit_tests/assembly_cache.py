"""Synthesizes each configuration once, for every worker and every run, until a source of it changes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from unit_tests.project_files import CACHES, PROJECT

CACHE = PROJECT / ".tools" / "assemblies"
# Everything that a template is made of: the app, its settings, what the repository is seeded with, the CDK.
SOURCES = (
    *("infrastructure", "tools/synthesis.py", "cdk.json", "requirements/dev.txt"),
    *("sample_service", "services", "Dockerfile", ".dockerignore", ".hadolint.yaml"),
    *("buildspec.yml", "appspec.yaml", "taskdef.json"),
)


def cached_assembly(context: Mapping[str, object], cache: Path = CACHE) -> Path:
    """Return a folder with the cloud assembly of a context; nobody may write to it.

    The first worker synthesizes it, the others wait. Assemblies of other sources are deleted.
    """
    sources = sources_hash()
    name = hashlib.sha256(json.dumps(context, sort_keys=True).encode()).hexdigest()
    folder = cache / sources / name
    if not folder.is_dir():
        with _lock(cache, sources, name):
            if not folder.is_dir():
                _synthesize(context, folder)
    return folder


@cache
def sources_hash() -> str:
    """Return one hash of the names and the content of all sources."""
    found = hashlib.sha256()
    for path in _files():
        content = path.read_bytes()
        found.update(f"{path.relative_to(PROJECT)} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def _files() -> Iterator[Path]:
    for source in SOURCES:
        place = PROJECT / source
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not CACHES & set(path.parts):
                yield path


@contextmanager
def _lock(cache: Path, sources: str, name: str) -> Iterator[None]:
    (cache / sources).mkdir(parents=True, exist_ok=True)
    with (cache / sources / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for other in cache.iterdir():
            if other.name != sources:
                shutil.rmtree(other, ignore_errors=True)
        yield


def _synthesize(context: Mapping[str, object], folder: Path) -> None:
    # Loading the CDK takes seconds, which a cached assembly saves.
    from tools.synthesis import synthesize

    draft = folder.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    synthesize(context, draft)
    draft.rename(folder)
