"""A build's zips: the source that it unpacks, the artifact that it packs, and which files a pattern means."""

import io
import os
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from local_aws.services.codebuild.buildspec import Files

PERMISSIONS = 0o777


class FilesError(Exception):
    """The zip cannot be unpacked, or the patterns match nothing: CodeBuild's CLIENT_ERROR."""


def unpack(archive: bytes, target: Path) -> None:
    """Unpack a zip below `target` with its modes; raises `FilesError` for an entry that leads out of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            entries = [(info, _inside(target, info.filename)) for info in files.infolist()]
            # Links last, so that no file can be written through one.
            for info, path in sorted(entries, key=lambda entry: stat.S_ISLNK(entry[0].external_attr >> 16)):
                _unpack_one(files, info, path, target)
            # A link may lead out by way of another, whatever each of them says by itself.
            for _, path in entries:
                if not path.resolve().is_relative_to(target.resolve()):
                    raise FilesError(f"illegal file path in zip: {path.name!r}")
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        raise FilesError(f"zip: not a valid zip file: {error}") from error


def _unpack_one(files: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, target: Path) -> None:
    mode = info.external_attr >> 16
    if info.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    # Nothing is written through a link, and a link is no folder of another.
    if path.parent.resolve() != target.resolve() / path.parent.relative_to(target):
        raise FilesError(f"illegal file path in zip: {info.filename!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        link = files.read(info).decode()
        _inside(target, os.path.normpath(path.relative_to(target).parent / link))
        path.symlink_to(link)
        return
    with files.open(info) as source:
        path.write_bytes(source.read())
    if mode & PERMISSIONS:
        path.chmod(mode & PERMISSIONS)


def _inside(target: Path, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith(("/", "\\")) or "\0" in name:
        raise FilesError(f"illegal file path in zip: {name!r}")
    return target.joinpath(*parts)


def select(source: Path, wanted: Files) -> tuple[dict[str, Path], list[str]]:
    """Return the files that `wanted` names, by their path in the artifact, and the patterns without any.

    Raises `FilesError` in CodeBuild's words when the base folder is missing or no file is there at all; a
    single missing file is passed over, as on AWS (copilot-cli#2780), and missed by whoever needs it.
    """
    bases = sorted(source.glob(wanted.base_directory)) if wanted.base_directory != "." else [source]
    if not bases:
        raise FilesError(f"no matching base directory path found for {wanted.base_directory}")
    found: dict[str, Path] = {}
    missing = []
    for pattern in wanted.files:
        matches = {
            path.relative_to(base).as_posix(): path for base in bases for path in _matching(base, pattern)
        }
        if not matches:
            missing.append(pattern)
        found |= matches
    for pattern in wanted.exclude:
        expression = _expression(pattern)
        found = {name: path for name, path in found.items() if not expression.fullmatch(name)}
    if not found:
        raise FilesError("no matching artifact paths found")
    if wanted.discard_paths:
        found = {path.name: path for path in found.values()}
    return found, missing


def pack(files: dict[str, Path]) -> bytes:
    """Return a zip of `files` with their modes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            archive.write(path, name)
    return target.getvalue()


def _matching(base: Path, pattern: str) -> list[Path]:
    clean = pattern.removeprefix("./")
    if (base / clean).is_file():
        return [base / clean]
    expression = _expression(clean)
    everything = (Path(folder) / name for folder, _, names in os.walk(base) for name in names)
    matching = (path for path in everything if expression.fullmatch(path.relative_to(base).as_posix()))
    # A device or a pipe would be read for ever.
    return [path for path in matching if path.is_file()]


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate CodeBuild's patterns: `*` within a folder, `**/` through any number of them."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meant.get(part, re.escape(part)) for part in parts))
