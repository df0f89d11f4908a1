"""The build's shell: commands one after another with one environment, and an end to all that they started."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from local_aws.host.process_tags import has_tag, kill_all, other_processes

# The environment is handed on from command to command, but not what a shell sets for itself.
SHELLS_OWN = ("_", "PWD", "OLDPWD", "SHLVL")
POLL_SECONDS = 0.1
KILL_SECONDS = 10.0


class Shell:
    """Runs a build's commands as buildspec version 0.2 has it: exports and the folder last, across phases.

    Every command is a script of its own, so that `exit` and `set -e` end that command only. What it prints
    goes to `output` bit by bit; `interrupted` is asked meanwhile: when it says yes, the command is killed.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        cwd: Path,
        variables: dict[str, str],
        output: Callable[[bytes], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self.program = shutil.which(name) or f"/bin/{name}"
        self.folder = folder
        self.cwd = cwd
        self.variables = variables
        self.output = output
        self.interrupted = interrupted
        self.sessions: set[int] = set()
        self._number = 0

    def run(self, command: str) -> int | None:
        """Run one command and return its exit status, or None when it was interrupted and killed."""
        self._number += 1
        wrapper, kept, printed = self._write(command)
        with printed.open("wb") as sink, printed.open("rb") as source:
            process = subprocess.Popen(  # noqa: S603 - running the buildspec's commands is what a build is
                [self.program, str(wrapper)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=self.cwd if self.cwd.is_dir() else self.folder,
                env=self.variables,
                start_new_session=True,
            )
            self.sessions.add(process.pid)
            status = self._follow(process, source.read)
            # Not until the end of the file: what runs on in the background still has it open.
            self.output(source.read())
        if status is not None:
            self._take_over(kept)
        return status

    def _follow(self, process: subprocess.Popen[bytes], read: Callable[[], bytes]) -> int | None:
        while True:
            try:
                # A shell that was killed gives 128 and the signal, as it does to its own caller.
                code = process.wait(POLL_SECONDS)
                return code if code >= 0 else 128 - code
            except subprocess.TimeoutExpired:
                self.output(read())
            if self.interrupted():
                _kill_group(process.pid)
                process.wait()
                return None

    def _write(self, command: str) -> tuple[Path, Path, Path]:
        script = self.folder / "script.sh"
        script.write_text(command + "\n")
        wrapper = self.folder / "run.sh"
        kept = self.folder / f"environment.{self._number}"
        place = self.folder / f"folder.{self._number}"
        keep = f"/usr/bin/env -0 > {shlex.quote(str(kept))}; pwd > {shlex.quote(str(place))}"
        # Twice: the trap is for a command that exits; one that sets a trap of its own comes to the end.
        wrapper.write_text(
            f"trap '_codebuild_status=$?; {_in_quotes(keep)}; exit $_codebuild_status' EXIT\n"
            f". {shlex.quote(str(script))}\n"
            f"_codebuild_status=$?; {keep}; (exit $_codebuild_status)\n"
        )
        return wrapper, kept, self.folder / f"output.{self._number}"

    def _take_over(self, kept: Path) -> None:
        place = self.folder / kept.name.replace("environment", "folder")
        if kept.exists():
            pairs = kept.read_bytes().decode(errors="surrogateescape").split("\0")
            found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            self.variables = {name: value for name, value in found.items() if name not in SHELLS_OWN}
            kept.unlink()
        if place.exists():
            self.cwd = Path(place.read_text().rstrip("\n"))
            place.unlink()


def kill_build(mark: str, sessions: set[int], folder: Path) -> None:
    """SIGKILL every process of a build, until none is left (see `processes`)."""
    kill_all(lambda: processes(mark, sessions, folder), KILL_SECONDS)


def processes(mark: str, sessions: set[int], folder: Path) -> Iterator[int]:
    """Yield the live processes of a build.

    They are known by `mark` (`NAME=value`) in the environment that they were started with, by session, or by
    a working folder below `folder`: a daemon that clears its environment and leaves its session stays there.
    """
    inside = str(folder.resolve())
    for process in other_processes():
        try:
            session = os.getsid(process.pid)
            ours = has_tag(process, mark)
            place = process.cwd()
            ended = process.status() == psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            # It ended meanwhile, or belongs to another user: not ours.
            continue
        there = place == inside or place.startswith(inside + os.sep)
        if not ended and (session in sessions or ours or there):
            yield process.pid


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _in_quotes(text: str) -> str:
    return text.replace("'", "'\\''")
