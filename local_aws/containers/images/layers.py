"""Writes the changes of a folder as a layer (a tar), and applies a layer to a folder (with OCI whiteouts)."""

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

# Identifies a file's content without reading it: mode, size, modification time, target of a link.
Fingerprint = tuple[int, int, int, str]
WHITEOUT = ".wh."


def snapshot(root: Path) -> dict[str, Fingerprint]:
    """Return a fingerprint of every file, folder and link under `root`, by its path in the image."""
    found: dict[str, Fingerprint] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            info = path.lstat()
            is_folder = stat.S_ISDIR(info.st_mode)
            target = str(path.readlink()) if path.is_symlink() else ""
            # A folder's modification time changes with its files, which have entries of their own.
            size, time = (0, 0) if is_folder else (info.st_size, info.st_mtime_ns)
            found[str(path.relative_to(root))] = (info.st_mode, size, time, target)
    return found


def changes(
    before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint]
) -> tuple[list[str], list[str]]:
    """Return the paths that are new or changed, and the topmost of those that were removed."""
    changed = [path for path, fingerprint in after.items() if before.get(path) != fingerprint]
    removed = {path for path in before if path not in after}
    return sorted(changed), sorted(path for path in removed if str(Path(path).parent) not in removed)


def write(
    target: Path,
    root: Path,
    paths: Iterable[str],
    removed: Iterable[str] = (),
    *,
    owner: tuple[int, int] = (0, 0),
    content: Callable[[Path, bytes], bytes] = lambda _path, data: data,
) -> None:
    """Write `paths` of `root` as a layer, with each file's bytes passed through `content`."""
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in paths:
            _add(archive, root / path, path, owner, content)
        for path in removed:
            name = Path(path)
            archive.addfile(tarfile.TarInfo(str(name.parent / f"{WHITEOUT}{name.name}")))


def _add(
    archive: tarfile.TarFile,
    path: Path,
    name: str,
    owner: tuple[int, int],
    content: Callable[[Path, bytes], bytes],
) -> None:
    member = archive.gettarinfo(path, name)
    member.uid, member.gid = owner
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    if not member.isreg() and not member.islnk():
        archive.addfile(member)
        return
    data = content(path, path.read_bytes())
    # A hard link becomes a file of its own in the layer.
    member.type, member.linkname, member.size = tarfile.REGTYPE, "", len(data)
    archive.addfile(member, io.BytesIO(data))


def apply(layer: Path, root: Path) -> None:
    """Apply a layer to `root`. Raises `ValueError` for a member that would be written outside of it."""
    with tarfile.open(layer) as archive:
        # The default filter of newer Pythons rejects absolute links, which are common in images.
        archive.extraction_filter = lambda member, _path: member
        for member in archive:
            path = root / member.name
            _check(path, root)
            if path.name.startswith(WHITEOUT):
                _remove(path.with_name(path.name.removeprefix(WHITEOUT)))
                continue
            if path.is_symlink() or (path.exists() and not (path.is_dir() and member.isdir())):
                _remove(path)
            archive.extract(member, root, numeric_owner=True)


def _check(path: Path, root: Path) -> None:
    inside = Path(os.path.normpath(path))
    # A link among its parents could point outside of the folder, whatever the member's name.
    if not inside.is_relative_to(root) or not path.parent.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"the layer's member {path.relative_to(root)} lies outside of the image")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
