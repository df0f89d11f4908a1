"""The build's shell: runs commands that share their environment, and kills the processes that they leave."""

import os
import select
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from local_aws.core.sandboxed import Sandboxed, as_it_is
from local_aws.host.process_tags import has_tag, kill_all, other_processes

# The environment passes from command to command, except for the variables that a shell sets itself.
SHELL_VARIABLES = ("_", "PWD", "OLDPWD", "SHLVL")
# Others that a shell sets, and does not export.
UNEXPORTED = "IFS|OPT(IND|ERR)|PS[0-9]|E?UID|PPID|SHELLOPTS|(HOST|MACH|OS)TYPE|HOSTNAME|SHELL|TERM|BASH.*"
# Exports every other variable that is not an array: a second `export` of a variable changes nothing.
EXPORT = (
    f"""eval "$(set | LC_ALL=C sed -nE '/^({UNEXPORTED})=/d; """
    """s/^([A-Za-z_][A-Za-z0-9_]*)=.*/export \\1;/p')" 2>/dev/null"""
)
POLL_SECONDS = 0.1
KILL_SECONDS = 10.0


class Shell:
    """Runs a build's commands as buildspec version 0.2 does: variables and the current folder persist.

    Each command is a script of its own, so that `exit` and `set -e` end only that command. The next one has
    the variables that it set, exported or not, and neither its arrays and functions nor its options.
    https://github.com/magenx/Magento-2-aws-cluster-terraform/issues/19 (a lost array)
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-cd-pipeline.html (a kept variable)
    `output` gets what a command prints, while it runs. It is killed when `interrupted` returns True, which is
    polled.
    `sandboxed` returns the command that runs one in a folder of the build.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        cwd: Path,
        variables: dict[str, str],
        output: Callable[[bytes], None],
        interrupted: Callable[[], bool],
        sandboxed: Sandboxed = as_it_is,
    ) -> None:
        self.program = shutil.which(name) or f"/bin/{name}"
        self.folder = folder
        self.cwd = cwd
        self.variables = variables
        self.output = output
        self.interrupted = interrupted
        self.sandboxed = sandboxed
        self.sessions: set[int] = set()
        self._number = 0
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY)

    def close(self) -> None:
        """Run no further command."""
        os.close(self._folder)

    def run(self, command: str) -> int | None:
        """Run one command and return its exit status, or None when it was interrupted and killed."""
        self._number += 1
        script, environment_file, output_file = self._write_script(command)
        cwd = self.cwd if self.cwd.is_dir() else self.folder
        with self._open(output_file, "wb") as sink, self._open(output_file, "rb") as source:
            process = subprocess.Popen(  # noqa: S603 - a build runs the commands of its buildspec
                self.sandboxed([self.program, str(script)], cwd),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=cwd,
                env=self.variables,
                start_new_session=True,
            )
            self.sessions.add(process.pid)
            status = self._wait(process, source.read)
            # Only what is there now: a process in the background may still have the file open.
            self.output(source.read())
        if status is not None:
            self._load_state(environment_file)
        return status

    def _wait(self, process: subprocess.Popen[bytes], read: Callable[[], bytes]) -> int | None:
        ended = select.poll()
        # Ready at once when the process ends: `process.wait` with a timeout sleeps up to 50 ms too long.
        descriptor = os.pidfd_open(process.pid)
        try:
            ended.register(descriptor, select.POLLIN)
            while not ended.poll(POLL_SECONDS * 1000):
                self.output(read())
                if self.interrupted():
                    _kill_group(process.pid)
                    process.wait()
                    return None
        finally:
            os.close(descriptor)
        # As a shell reports it: the status of a process that a signal killed is 128 plus the signal.
        code = process.wait()
        return code if code >= 0 else 128 - code

    def _write_script(self, command: str) -> tuple[Path, Path, Path]:
        """Write the script that runs `command`; return it, and the files of its environment and output."""
        command_file = self.folder / "script.sh"
        self._write(command_file, command + "\n")
        script = self.folder / "run.sh"
        environment_file = self.folder / f"environment.{self._number}"
        folder_file = self.folder / f"folder.{self._number}"
        save = (
            f"{{ set +exv; }} 2>/dev/null; {EXPORT}; /usr/bin/env -0 > {shlex.quote(str(environment_file))}; "
            f"pwd > {shlex.quote(str(folder_file))}"
        )
        # Saved twice: a command that exits runs the trap, one that sets its own trap reaches the last line.
        self._write(
            script,
            f"trap '_codebuild_status=$?; {_in_quotes(save)}; exit $_codebuild_status' EXIT\n"
            f". {shlex.quote(str(command_file))}\n"
            f"_codebuild_status=$?; {save}; (exit $_codebuild_status)\n",
        )
        return script, environment_file, self.folder / f"output.{self._number}"

    def _open(self, path: Path, mode: str) -> IO[Any]:
        """Open a file of this shell. A build can replace it, or its folder, by a link to other files."""

        def opener(name: str, flags: int) -> int:
            name = Path(name).name
            if flags & os.O_TRUNC:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=self._folder)
            return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=self._folder)

        return open(path, mode, opener=opener)

    def _write(self, path: Path, text: str) -> None:
        with self._open(path, "w") as file:
            file.write(text)

    def _read(self, path: Path) -> bytes:
        """Return the content of a file that the command wrote, and remove it; nothing if it wrote none."""
        try:
            with self._open(path, "rb") as file:
                content: bytes = file.read()
            os.unlink(path.name, dir_fd=self._folder)
        except OSError:
            return b""
        return content

    def _load_state(self, environment_file: Path) -> None:
        folder_file = self.folder / environment_file.name.replace("environment", "folder")
        content, cwd = self._read(environment_file), self._read(folder_file)
        if content:
            pairs = content.decode(errors="surrogateescape").split("\0")
            variables = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            self.variables = {name: value for name, value in variables.items() if name not in SHELL_VARIABLES}
        if cwd:
            self.cwd = Path(cwd.decode(errors="surrogateescape").rstrip("\n"))


def kill_build(tag: str, sessions: set[int], folder: Path) -> None:
    """SIGKILL every process of a build until none is left (see `build_processes`)."""
    kill_all(lambda: build_processes(tag, sessions, folder), KILL_SECONDS)


def build_processes(tag: str, sessions: set[int], folder: Path) -> Iterator[int]:
    """Yield the IDs of a build's running processes.

    A process belongs to the build if it was started with `tag` (`NAME=value`) in its environment, if it is in
    one of the sessions, or if its working folder is below `folder`: a daemon can change the first two.
    """
    root = str(folder.resolve())
    for process in other_processes():
        try:
            session = os.getsid(process.pid)
            tagged = has_tag(process, tag)
            cwd = process.cwd()
            ended = process.status() == psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            # It has ended in the meantime, or it belongs to another user.
            continue
        inside = cwd == root or cwd.startswith(root + os.sep)
        if not ended and (session in sessions or tagged or inside):
            yield process.pid


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _in_quotes(text: str) -> str:
    return text.replace("'", "'\\''")
