"""The build context: the files that COPY copies, filtered by .dockerignore as in Docker."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from local_aws.containers.images.dockerfile import DockerfileError

_WILDCARD = re.compile(r"[*?[]")


class BuildContext:
    """The folder given to `docker build`. COPY cannot read outside of it."""

    def __init__(self, folder: Path, dockerfile: Path) -> None:
        self.folder = folder.resolve()
        own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        rules = own if own.exists() else self.folder / ".dockerignore"
        self.rules = ignore_rules(rules.read_text() if rules.exists() else "")

    def ignored(self, path: str) -> bool:
        """Return whether .dockerignore excludes `path`. The last rule that matches decides."""
        result = False
        for pattern, excluded in self.rules:
            if pattern.match(path):
                result = excluded
        return result

    def resolve(self, sources: Iterable[str], destination: str) -> dict[str, Path]:
        """Return the files, folders and links to copy, by their path in the image."""
        found: dict[str, Path] = {}
        for source in sources:
            for match in self._matches(source):
                found.update(self._tree(match, destination))
        return dict(sorted(found.items()))

    def _matches(self, source: str) -> list[Path]:
        name = os.path.normpath(source.lstrip("/") or ".")
        if name == ".." or name.startswith("../"):
            raise DockerfileError(f"COPY failed: forbidden path outside the build context: {source}")
        candidates = sorted(self.folder.glob(name)) if _WILDCARD.search(name) else [self.folder / name]
        matches = [path for path in candidates if path == self.folder or self._present(path)]
        if not matches:
            raise DockerfileError(
                f'failed to compute cache key: failed to calculate checksum of ref: "/{name}": not found'
            )
        return matches

    def _present(self, path: Path) -> bool:
        if not path.parent.resolve().is_relative_to(self.folder):
            raise DockerfileError(f"COPY failed: forbidden path outside the build context: {path.name}")
        if not path.is_symlink() and path.is_dir():
            return bool(not self.ignored(str(path.relative_to(self.folder))) or self._files(path))
        return os.path.lexists(path) and not self.ignored(str(path.relative_to(self.folder)))

    def _tree(self, source: Path, destination: str) -> dict[str, Path]:
        if source.is_symlink() or not source.is_dir():
            name = f"{destination}{source.name}" if destination.endswith("/") else destination
            return {name.lstrip("/"): source}
        # A folder's content is copied, not the folder.
        base = destination.strip("/")
        tree = {base: source} if base else {}
        for path in self._files(source):
            inside = path.relative_to(source)
            for parent in reversed(inside.parents[:-1]):
                tree[f"{base}/{parent}".lstrip("/")] = source / parent
            tree[f"{base}/{inside}".lstrip("/")] = path
        return tree

    def _files(self, folder: Path) -> list[Path]:
        found = []
        for place, folders, files in os.walk(folder):
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            for name in (*files, *links):
                path = Path(place) / name
                if not self.ignored(str(path.relative_to(self.folder))):
                    found.append(path)
        return found


def ignore_rules(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """Return the rules of a .dockerignore in order: a pattern, and whether it excludes or includes."""
    rules = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        excluded = not line.startswith("!")
        pattern = os.path.normpath(line.lstrip("!").strip().lstrip("/"))
        rules.append((re.compile(_expression(pattern) + r"(?:/.*)?\Z"), excluded))
    return rules


def _expression(pattern: str) -> str:
    if pattern == ".":
        return ".*"
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression, rest = "", pattern
    while rest:
        part = next((key for key in parts if rest.startswith(key)), None)
        if part is None and rest[0] == "[" and "]" in rest:
            part = rest[: rest.index("]") + 1]
            expression += part
        elif part is None:
            part = rest[0]
            expression += re.escape(part)
        else:
            expression += parts[part]
        rest = rest[len(part) :]
    return expression


def checksum(files: dict[str, Path]) -> str:
    """Return one digest of names, modes and content. As in Docker, modification times do not count."""
    total = hashlib.sha256()
    for name, path in files.items():
        mode = path.lstat().st_mode
        if path.is_symlink():
            data = str(path.readlink()).encode()
        elif path.is_dir():
            data = b""
        else:
            data = path.read_bytes()
        total.update(f"{name}\0{mode}\0{len(data)}\0".encode() + data)
    return total.hexdigest()
