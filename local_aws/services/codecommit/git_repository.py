"""A bare git repository on disk: everything that CodeCommit keeps, driven by the git executable."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_aws.host.process_tags import INSTANCE_VARIABLE

ZERO = "0" * 40
COMMIT_ID = re.compile(r"[0-9a-f]{40}")
# The user's git settings, hooks and helpers are no part of CodeCommit.
SETTINGS = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "receive.autogc": "false",
    "maintenance.auto": "false",
    "http.receivepack": "true",
    "receive.advertisePushOptions": "false",
    "core.logAllRefUpdates": "false",
}
# `git archive` would leave out or rewrite what a commit's .gitattributes names; the source action does not.
ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter\n"


class GitError(Exception):
    """git refused; the message is its own."""


class RefMovedError(GitError):
    """The branch is no longer where the caller thought."""


@dataclass(frozen=True)
class Entry:
    """One line of a tree. `mode` is git's (`100644`, `100755`, `120000`, `040000`, `160000`)."""

    mode: str
    kind: str
    id: str
    path: str


@dataclass(frozen=True)
class Person:
    """Who made a commit, and when (`date` as git writes it: seconds and offset)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit's own record."""

    id: str
    tree: str
    parents: list[str]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Change:
    """What a new commit does: files to put (path -> mode and content) and paths to delete."""

    put: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    delete: Iterable[str] = ()


def environment(home: Path) -> dict[str, str]:
    """Return all that a git process of ours sees: none of the host's or the user's settings."""
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
    """The repository at `path`. Names come in as checked by the caller, and only ever as whole arguments."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> "GitRepository":
        """Make an empty repository at `path`."""
        repository = cls(path)
        path.mkdir(parents=True)
        repository.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path))
        for name, value in SETTINGS.items():
            repository.git("config", name, value)
        (path / "info").mkdir(exist_ok=True)
        (path / "info" / "attributes").write_text(ATTRIBUTES)
        return repository

    def delete(self) -> None:
        """Remove the repository with every commit in it."""
        shutil.rmtree(self.path)

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the repository and return what it prints; raises `GitError` with its words."""
        command = ["git", f"--git-dir={self.path}", *arguments]
        done = subprocess.run(  # noqa: S603 - an argument list; names are checked before they come here
            command, input=stdin, capture_output=True, env=environment(self.path.parent), check=False
        )
        if done.returncode:
            raise GitError(
                done.stderr.decode(errors="replace").strip() or f"git ended with {done.returncode}"
            )
        return done.stdout

    def refs(self) -> dict[str, str]:
        """Return every branch and tag by its full name, with the commit that it stands for."""
        form = "%(refname)%00%(objectname)%00%(*objectname)"
        lines = self.git("for-each-ref", f"--format={form}", "refs/heads", "refs/tags").decode().splitlines()
        found = {}
        for line in lines:
            name, own, peeled = line.split("\0")
            found[name] = peeled or own
        return found

    def default_branch(self) -> str | None:
        """Return the default branch, or None while it has no commit."""
        name = self.git("symbolic-ref", "HEAD").decode().strip()
        return name.removeprefix("refs/heads/") if name in self.refs() else None

    def set_default_branch(self, branch: str) -> None:
        """Make `branch` the one that a clone checks out."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def move(self, ref: str, new: str, old: str) -> None:
        """Set `ref` from `old` to `new` (`ZERO` for none); raises `RefMovedError` when it is not at `old`."""
        try:
            self.git("update-ref", ref, new, old)
        except GitError as error:
            raise RefMovedError(str(error)) from error

    def has_commit(self, commit: str) -> bool:
        """Say whether `commit` (40 hexadecimal digits) is a commit here."""
        if not COMMIT_ID.fullmatch(commit):
            return False
        try:
            return self.git("cat-file", "-t", commit).strip() == b"commit"
        except GitError:
            return False

    def commit(self, commit: str) -> Commit:
        """Return a commit's record."""
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

    def entries(self, commit: str, *, recursive: bool = True) -> list[Entry]:
        """Return what the tree `commit` (or `commit:path`) holds; files only when `recursive`."""
        flags = ["-r"] if recursive else []
        found = []
        for line in self.git("ls-tree", "-z", *flags, "--end-of-options", commit).decode().split("\0"):
            if line:
                head, _, path = line.partition("\t")
                mode, kind, identifier = head.split()
                found.append(Entry(mode, kind, identifier, path))
        return found

    def blob(self, identifier: str) -> bytes:
        """Return a file's content."""
        return self.git("cat-file", "blob", identifier)

    def tree_of(self, commit: str) -> str:
        """Return the id of a commit's tree."""
        return self.git("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def write(self, branch: str, parent: str | None, person: Person, message: str, change: Change) -> str:
        """Commit on `branch` after its tip `parent`, return the id; raises `RefMovedError` if that moved."""
        who = f"{_clean(person.name)} <{_clean(person.email)}> {person.date}"
        marks = self.path / "new-commit"
        stream = [f"commit refs/heads/{branch}\nmark :1\nauthor {who}\ncommitter {who}\n".encode()]
        stream.append(_data(message.encode()))
        if parent:
            stream.append(f"from {parent}\n".encode())
        stream += [f"D {_quoted(path)}\n".encode() for path in change.delete]
        for path, (mode, content) in change.put.items():
            stream.append(f"M {mode} inline {_quoted(path)}\n".encode() + _data(content))
        stream.append(b"done\n")
        old = self.refs().get(f"refs/heads/{branch}")
        if old != parent:
            raise RefMovedError(f"{branch} is at {old}, not at {parent}")
        try:
            # It moves the branch only forward: a push in between makes it refuse.
            self.git("fast-import", "--quiet", "--done", f"--export-marks={marks}", stdin=b"".join(stream))
        except GitError as error:
            raise RefMovedError(str(error)) from error
        return marks.read_text().split()[1]

    def changes(self, before: str | None, after: str) -> list[tuple[Entry | None, Entry | None]]:
        """Return the files in which two commits differ, each as it was and as it is."""
        old = {entry.path: entry for entry in self.entries(before)} if before else {}
        new = {entry.path: entry for entry in self.entries(after)}
        paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
        return [(old.get(path), new.get(path)) for path in paths]

    def archive(self, commit: str) -> bytes:
        """Return the files of a commit as a zip, with their modes."""
        return self.git("archive", "--format=zip", "-6", commit)


def _person(line: str) -> Person:
    name, _, rest = line.partition(" <")
    email, _, date = rest.partition("> ")
    return Person(name, email, date)


def _clean(text: str) -> str:
    return re.sub(r"[<>\x00-\x1f]", "", text).strip()


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
