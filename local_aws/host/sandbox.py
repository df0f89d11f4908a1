"""The sandbox of builds, tasks and functions: a user and a mount namespace without the caller's files.

`unshare` creates the namespaces once, for a process that keeps them; `nsenter` starts each program in them.
The user namespace keeps a program out of /proc/PID/environ and /proc/PID/root of every process outside.
https://man7.org/linux/man-pages/man7/user_namespaces.7.html
https://man7.org/linux/man-pages/man2/ptrace.2.html (ptrace access mode checking)
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

PROGRAMS = ("unshare", "mount", "nsenter", "setpriv", "env")
_READY = "ready"
# Without capabilities, nothing in the sandbox can undo its mounts.
_ROOT = ("--bounding-set=-all", "--inh-caps=-all")


class Sandbox:
    """The namespaces, kept by a process that ends with this one.

    Inside, `hidden` folders have only what of `visible` is in them, which is read-only, and of `writable`.
    `problem` says why this machine has no sandbox; it is empty when there is one.
    """

    def __init__(self, hidden: Sequence[Path], visible: Sequence[Path], writable: Sequence[Path]) -> None:
        self.problem = ""
        self._prefix: tuple[str, ...] = ()
        # By their paths: what a program finds on its own PATH is the image's.
        found = {name: shutil.which(name) or "" for name in PROGRAMS}
        missing = [name for name in PROGRAMS if not found[name]]
        if missing:
            self.problem = f"there is no {', '.join(missing)}"
            return
        words = [found["unshare"], "--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c"]
        self._keeper = _start_keeper([*words, _script(hidden, visible, writable)])
        if self._keeper.stdout is None or self._keeper.stdout.readline().strip() != _READY:
            _, errors = self._keeper.communicate()
            self.problem = " ".join(errors.split()) or "unshare failed"
            return
        target = f"--target={self._keeper.pid}"
        enter = (found["nsenter"], "--preserve-credentials", target, "--user", "--mount")
        drop = (found["setpriv"], "--no-new-privs", *(_ROOT if os.geteuid() == 0 else ()))
        self._prefix = (*enter, "--", *drop, found["env"])

    def command(self, words: Sequence[str], folder: Path) -> list[str]:
        """Return the command that runs `words` inside, in `folder`; without a sandbox, `words`."""
        if not self._prefix:
            return list(words)
        # Only inside: a folder that was opened outside would lead to the hidden files by `..`.
        return [*self._prefix, f"--chdir={folder}", *words]

    def close(self) -> None:
        """End the process that keeps the namespaces."""
        if self._prefix:
            self._keeper.communicate()


def _start_keeper(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - a script with quoted paths
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        start_new_session=True,
    )


def _script(hidden: Sequence[Path], visible: Sequence[Path], writable: Sequence[Path]) -> str:
    """Return the script of the process that keeps the namespaces, until its standard input closes."""
    lines = ["set -e"]
    # An outer folder comes before those in it.
    for folder in sorted({path.resolve() for path in hidden}):
        lines += _hide(folder, [*_binds(folder, visible, "ro"), *_binds(folder, writable, "rw")])
    return "\n".join([*lines, "cd /", f"echo {_READY}", "exec cat >/dev/null"])


def _hide(folder: Path, binds: Sequence[tuple[Path, str]]) -> Iterator[str]:
    name = shlex.quote(str(folder))
    # The sources of the binds are relative to the hidden folder, which no path leads to any more.
    yield f"if cd {name} 2>/dev/null; then"
    yield f"mount -t tmpfs -o mode=0755,size=1m local_aws {name}"
    for path, mode in binds:
        target, real = shlex.quote(str(path)), path.resolve()
        source = f"./{real.relative_to(folder)}" if real.is_relative_to(folder) else str(real)
        if path.is_dir():
            yield f"mkdir -p {target}"
        else:
            yield f"mkdir -p {shlex.quote(str(path.parent))}; touch {target}"
        yield f"mount --no-canonicalize --rbind {shlex.quote(source)} {target}"
        if mode == "ro":
            yield f"mount -o remount,bind,ro {target}"
    yield f"mount -o remount,bind,ro {name}"
    yield "fi"


def _binds(folder: Path, paths: Sequence[Path], mode: str) -> list[tuple[Path, str]]:
    """Return the paths below `folder`, each by its own name and by those without links."""
    names = {Path(os.path.abspath(path)) for path in paths}  # noqa: PTH100 - resolve() would follow the links
    names |= {path.parent.resolve() / path.name for path in names} | {path.resolve() for path in names}
    found = sorted(path for path in names if folder in path.parents and path.exists())
    return [(path, mode) for path in found if not any(other in path.parents for other in found)]
