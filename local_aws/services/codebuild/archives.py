"""The zip files of a build (its source and its artifact) and the file patterns of a buildspec."""

import io
import os
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from local_aws.services.codebuild.buildspec import FileSet
from local_aws.services.codebuild.errors import FilesError

PERMISSION_BITS = 0o777


def unpack(archive: bytes, target: Path) -> None:
    """Unpack a zip into `target`, with file modes; raises `FilesError` for an entry outside of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            entries = [(info, _path_below(target, info.filename)) for info in files.infolist()]
            # Links come last, so that no file is written through one.
            for info, path in sorted(entries, key=lambda entry: stat.S_ISLNK(entry[0].external_attr >> 16)):
                _unpack_entry(files, info, path, target)
            # A link that points inside may still resolve to a path outside, through another link.
            for _, path in entries:
                if not path.resolve().is_relative_to(target.resolve()):
                    raise FilesError(f"illegal file path in zip: {path.name!r}")
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError, zlib.error) as error:
        raise FilesError(f"zip: not a valid zip file: {error}") from error


def _unpack_entry(files: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, target: Path) -> None:
    mode = info.external_attr >> 16
    if info.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    # No parent folder may be a link.
    if path.parent.resolve() != target.resolve() / path.parent.relative_to(target):
        raise FilesError(f"illegal file path in zip: {info.filename!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        link = files.read(info).decode()
        _path_below(target, os.path.normpath(path.relative_to(target).parent / link))
        path.symlink_to(link)
        return
    with files.open(info) as source:
        path.write_bytes(source.read())
    if mode & PERMISSION_BITS:
        path.chmod(mode & PERMISSION_BITS)


def _path_below(target: Path, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith(("/", "\\")) or "\0" in name:
        raise FilesError(f"illegal file path in zip: {name!r}")
    return target.joinpath(*parts)


def select(source: Path, file_set: FileSet) -> tuple[dict[str, Path], list[str]]:
    """Return the files of `file_set` by their path in the artifact, and the patterns without a match.

    Raises `FilesError` with CodeBuild's message when the base directory is missing or nothing matches, and
    for a link to a file that is not the build's. A single pattern without a match is skipped, as on AWS
    (copilot-cli#2780).
    """
    base = file_set.base_directory
    bases = [source] if base == "." else sorted(source.glob(base))
    if not bases:
        raise FilesError(f"no matching base directory path found for {base}")
    selected, unmatched = _match_all(bases, file_set.files)
    selected = _without(selected, file_set.exclude)
    if not selected:
        raise FilesError("no matching artifact paths found")
    for name, path in selected.items():
        # The server reads it, which sees more of this machine than the build does.
        if not path.resolve().is_relative_to(source.resolve().parent):
            raise FilesError(f"{name} leads to a file outside of the build's folders")
    if file_set.discard_paths:
        selected = {path.name: path for path in selected.values()}
    return selected, unmatched


def _match_all(bases: list[Path], patterns: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    matched: dict[str, Path] = {}
    unmatched = []
    for pattern in patterns:
        files = {path.relative_to(base).as_posix(): path for base in bases for path in _glob(base, pattern)}
        if not files:
            unmatched.append(pattern)
        matched |= files
    return matched, unmatched


def _without(files: dict[str, Path], patterns: tuple[str, ...]) -> dict[str, Path]:
    expressions = [_expression(pattern) for pattern in patterns]
    return {
        name: path
        for name, path in files.items()
        if not any(expression.fullmatch(name) for expression in expressions)
    }


def pack(files: dict[str, Path]) -> bytes:
    """Return a zip of `files` with their modes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            archive.write(path, name)
    return target.getvalue()


def _glob(base: Path, pattern: str) -> list[Path]:
    relative = pattern.removeprefix("./")
    if (base / relative).is_file():
        return [base / relative]
    expression = _expression(relative)
    paths = (Path(folder) / name for folder, _, names in os.walk(base) for name in names)
    matching = (path for path in paths if expression.fullmatch(path.relative_to(base).as_posix()))
    # Regular files only: reading a device or a pipe may never end.
    return [path for path in matching if path.is_file()]


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate a file pattern: `*` matches within a folder, `**/` any number of folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    expressions = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(expressions.get(part, re.escape(part)) for part in parts))
