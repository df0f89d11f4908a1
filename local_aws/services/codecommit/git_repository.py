"""A bare git repository on disk, driven by the git executable."""

import io
import os
import re
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_aws.host.process_tags import INSTANCE_VARIABLE

# The object ID that git writes for "no commit".
NO_COMMIT = "0" * 40
HEADS = "refs/heads/"
FULL_COMMIT_ID = re.compile(r"[0-9a-f]{40}")
# CodeCommit runs no hooks, and no maintenance in the background of a push.
REPOSITORY_SETTINGS = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "receive.autogc": "false",
    "maintenance.auto": "false",
    "http.receivepack": "true",
    "receive.advertisePushOptions": "false",
    "core.logAllRefUpdates": "false",
}
# The source action ignores a commit's .gitattributes; `git archive` would leave out or rewrite files by it.
ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter\n"


class GitError(Exception):
    """git failed; the message is git's own."""


class RefMovedError(GitError):
    """The branch does not point to the commit that the caller expects."""


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a tree. `mode` is git's (`100644`, `100755`, `120000`, `040000`, `160000`)."""

    mode: str
    kind: str
    id: str
    path: str


@dataclass(frozen=True)
class Person:
    """An author or a committer. `date` is in git's format: seconds since the epoch and the UTC offset."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit object."""

    id: str
    tree: str
    parents: list[str]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class FileChanges:
    """The files that a new commit writes (path -> mode and content) and the paths that it deletes."""

    put: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    delete: Iterable[str] = ()


def git_environment(home: Path) -> dict[str, str]:
    """Return the whole environment of a git process: without the settings of the host and of the user."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        INSTANCE_VARIABLE: os.environ.get(INSTANCE_VARIABLE, ""),
    }


class GitRepository:
    """The repository at `path`. Callers validate names; each name is a whole argument of git."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> "GitRepository":
        """Create an empty repository at `path`."""
        repository = cls(path)
        path.mkdir(parents=True)
        repository.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path))
        for name, value in REPOSITORY_SETTINGS.items():
            repository.git("config", name, value)
        (path / "info").mkdir(exist_ok=True)
        (path / "info" / "attributes").write_text(ATTRIBUTES)
        return repository

    def delete(self) -> None:
        """Remove the repository with every commit in it."""
        shutil.rmtree(self.path)

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the repository and return its output; raises `GitError` with its error message."""
        command = ["git", f"--git-dir={self.path}", *arguments]
        result = subprocess.run(  # noqa: S603 - an argument list; the names in it are validated
            command, input=stdin, capture_output=True, env=git_environment(self.path.parent), check=False
        )
        if result.returncode:
            message = result.stderr.decode(errors="replace").strip()
            raise GitError(message or f"git exited with status {result.returncode}")
        return result.stdout

    def refs(self) -> dict[str, str]:
        """Return each branch and tag, by its full name, with the commit that it points to."""
        # An annotated tag is an object of its own: the commit is the object that it points to.
        template = "%(refname)%00%(objectname)%00%(*objectname)"
        output = self.git("for-each-ref", f"--format={template}", "refs/heads", "refs/tags").decode()
        found = {}
        for line in output.splitlines():
            name, object_id, peeled_id = line.split("\0")
            found[name] = peeled_id or object_id
        return found

    def default_branch(self) -> str | None:
        """Return the default branch, or None while it has no commit."""
        name = self.git("symbolic-ref", "HEAD").decode().strip()
        return name.removeprefix(HEADS) if name in self.refs() else None

    def set_default_branch(self, branch: str) -> None:
        """Set the branch that a clone checks out."""
        self.git("symbolic-ref", "HEAD", HEADS + branch)

    def update_ref(self, ref: str, new: str, old: str) -> None:
        """Change `ref` from `old` (`NO_COMMIT` for a new one) to `new`; raises `RefMovedError`."""
        try:
            self.git("update-ref", ref, new, old)
        except GitError as error:
            raise RefMovedError(str(error)) from error

    def has_commit(self, commit: str) -> bool:
        """Return whether `commit` (40 hexadecimal digits) is a commit of the repository."""
        if not FULL_COMMIT_ID.fullmatch(commit):
            return False
        try:
            return self.git("cat-file", "-t", commit).strip() == b"commit"
        except GitError:
            return False

    def commit(self, commit: str) -> Commit:
        """Return a commit."""
        head, _, message = self.git("cat-file", "commit", commit).decode(errors="replace").partition("\n\n")
        values: dict[str, list[str]] = {}
        for line in head.splitlines():
            key, _, value = line.partition(" ")
            values.setdefault(key, []).append(value)
        return Commit(
            commit,
            values["tree"][0],
            values.get("parent", []),
            _person(values["author"][0]),
            _person(values["committer"][0]),
            message,
        )

    def entries(self, commit: str, *, recursive: bool = True) -> list[TreeEntry]:
        """Return the entries of a tree (`commit` or `commit:path`); files only when `recursive`."""
        flags = ["-r"] if recursive else []
        found = []
        for line in self.git("ls-tree", "-z", *flags, "--end-of-options", commit).decode().split("\0"):
            if line:
                head, _, path = line.partition("\t")
                mode, kind, identifier = head.split()
                found.append(TreeEntry(mode, kind, identifier, path))
        return found

    def files(self, commit: str) -> dict[str, TreeEntry]:
        """Return every file of a commit by its path."""
        return {entry.path: entry for entry in self.entries(commit)}

    def object_type(self, object_id: str) -> str:
        """Return the type of an object (`blob`, `tree`, `commit`, `tag`), or `missing`."""
        return self.git("cat-file", "--batch-check", stdin=f"{object_id}\n".encode()).split()[1].decode()

    def blob(self, identifier: str) -> bytes:
        """Return a file's content."""
        return self.git("cat-file", "blob", identifier)

    def tree_of(self, commit: str) -> str:
        """Return the ID of a commit's tree."""
        return self.git("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def write(
        self, branch: str, parent: str | None, author: Person, message: str, changes: FileChanges
    ) -> str:
        """Commit on `branch` after its tip `parent`, return the commit ID; raises `RefMovedError`."""
        tip = self.refs().get(HEADS + branch)
        if tip != parent:
            raise RefMovedError(f"{branch} is at {tip}, not at {parent}")
        marks = self.path / "new-commit"
        stream = _fast_import_stream(branch, parent, author, message, changes)
        try:
            # fast-import only fast-forwards a branch: it fails if a push has moved the branch.
            self.git("fast-import", "--quiet", "--done", f"--export-marks={marks}", stdin=stream)
        except GitError as error:
            raise RefMovedError(str(error)) from error
        return marks.read_text().split()[1]

    def changes(self, before: str | None, after: str) -> list[tuple[TreeEntry | None, TreeEntry | None]]:
        """Return the files that differ between two commits, each with its old and its new entry."""
        old = self.files(before) if before else {}
        new = self.files(after)
        paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
        return [(old.get(path), new.get(path)) for path in paths]

    def archive(self, commit: str) -> bytes:
        """Return the files of a commit as a zip, with their modes; see `without_links`."""
        return without_links(self.git("archive", "--format=zip", "-6", commit))


def without_links(archive: bytes) -> bytes:
    """Return a zip whose symbolic links are files that contain the links' targets, as in CodePipeline's.

    https://qiita.com/shonansurvivors/items/8b14180d5b7740be0009
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        entries = files.infolist()
        if not any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
            return archive
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as rewritten:
            for entry in entries:
                content = files.read(entry)
                if stat.S_ISLNK(entry.external_attr >> 16):
                    entry.external_attr = (stat.S_IFREG | 0o777) << 16
                rewritten.writestr(entry, content)
    return target.getvalue()


def branches(refs: Mapping[str, str]) -> list[str]:
    """Return the names of the branches among `refs`."""
    return [ref.removeprefix(HEADS) for ref in refs if ref.startswith(HEADS)]


def _fast_import_stream(
    branch: str, parent: str | None, author: Person, message: str, changes: FileChanges
) -> bytes:
    # https://git-scm.com/docs/git-fast-import#_input_format
    person = f"{_without_delimiters(author.name)} <{_without_delimiters(author.email)}> {author.date}"
    commands = [f"commit {HEADS}{branch}\nmark :1\nauthor {person}\ncommitter {person}\n".encode()]
    commands.append(_data_command(message.encode()))
    if parent:
        commands.append(f"from {parent}\n".encode())
    commands += [f"D {_quote(path)}\n".encode() for path in changes.delete]
    for path, (mode, content) in changes.put.items():
        commands.append(f"M {mode} inline {_quote(path)}\n".encode() + _data_command(content))
    return b"".join([*commands, b"done\n"])


def _person(line: str) -> Person:
    name, _, rest = line.partition(" <")
    email, _, date = rest.partition("> ")
    return Person(name, email, date)


def _without_delimiters(text: str) -> str:
    return re.sub(r"[<>\x00-\x1f]", "", text).strip()


def _data_command(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quote(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
