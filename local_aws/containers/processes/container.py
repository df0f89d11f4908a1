"""One container that is a process of this machine, with the processes that it starts."""

import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_aws.containers.engine import ContainerError
from local_aws.containers.images.environment import CommandNotFoundError, find_program, map_paths
from local_aws.core.sandboxed import Sandboxed, as_it_is
from local_aws.host.process_tags import tagged

# Every process of a container inherits it, in any session: it takes the place of a PID namespace.
CONTAINER_VARIABLE = "LOCAL_AWS_CONTAINER_ID"


@dataclass(frozen=True)
class ProcessPlan:
    """What is needed to start a container's process."""

    id: str
    root: Path
    command: tuple[str, ...]
    # As the process will see it, with local paths.
    environment: Mapping[str, str]
    working_directory: str
    address: str
    stop_signal: str = "SIGTERM"
    # MiB that all its processes may use together; 0 is no limit.
    memory: int = 0


class ProcessContainer:
    """A running container: its main process is the image's command itself, as PID 1 would be.

    The containers of a build have no sandbox of their own: they are inside the build's.
    """

    def __init__(
        self,
        plan: ProcessPlan,
        on_line: Callable[[str], None],
        on_exit: Callable[[], None] | None = None,
        sandboxed: Sandboxed = as_it_is,
    ) -> None:
        self.plan = plan
        self.id = plan.id
        self.address = plan.address
        self.memory = plan.memory
        self.out_of_memory = False
        self._sandboxed = sandboxed
        self._ended = threading.Event()
        self._code: int | None = None
        self._process = self._popen(plan.command, stdout=subprocess.PIPE)
        self.process_id = self._process.pid
        threading.Thread(
            target=self._watch, args=(on_line, on_exit), name=f"container-{plan.id[:12]}", daemon=True
        ).start()

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + n after signal n; None while it runs."""
        return self._code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the container has ended and `on_line` has every line. None after `timeout` seconds."""
        self._ended.wait(timeout)
        return self._code

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Run a command inside. Raises `TimeoutError` after killing it, `ContainerError` if there is none."""
        process = self._popen(command, stdout=subprocess.PIPE)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _kill_group(process.pid)
            process.communicate()
            raise TimeoutError(f"{command[0]} ran longer than {timeout:g} s") from error
        return _exit_code(process.returncode), output.decode(errors="replace")

    def stop(self, timeout: float) -> int:
        """Send the stop signal to the main process; after `timeout` seconds, SIGKILL to every process."""
        if self._code is None:
            self._signal(signal.Signals[self.plan.stop_signal])
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.wait() or 0

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""
        self._signal(signal.SIGKILL)
        self._kill_rest()

    def kill_for_memory(self) -> None:
        """Kill the container, and record that it ran out of memory."""
        self.out_of_memory = True
        self.kill()

    def _popen(self, command: tuple[str, ...], stdout: int | None) -> "subprocess.Popen[bytes]":
        return start_process(self.plan, command, stdout, self._sandboxed)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def _watch(self, on_line: Callable[[str], None], on_exit: Callable[[], None] | None) -> None:
        reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        reader.start()
        code = self._process.wait()
        # A container ends with PID 1. Its other processes would keep the pipe and the port open.
        self._kill_rest()
        reader.join()
        self._code = _exit_code(code)
        self._ended.set()
        if on_exit is not None:
            on_exit()

    def _read(self, on_line: Callable[[str], None]) -> None:
        with self._process.stdout or io.BytesIO() as lines:
            for line in lines:
                on_line(line.decode(errors="replace").rstrip("\n"))

    def _kill_rest(self) -> None:
        # Repeated, since a process may fork between the listing and the kill.
        for _ in range(5):
            rest = [process_id for process_id in processes_of(self.id) if process_id != self.process_id]
            for process_id in rest:
                _kill(process_id)
            if not rest:
                return


def start_process(
    plan: ProcessPlan, command: tuple[str, ...], stdout: int | None, sandboxed: Sandboxed = as_it_is
) -> "subprocess.Popen[bytes]":
    """Start one process in the container's file system and network. Raises `ContainerError`."""
    directory = plan.root / plan.working_directory.lstrip("/")
    try:
        program = find_program(command[0], plan.root, plan.environment, directory)
        return subprocess.Popen(  # noqa: S603 - the command of a task definition or an image
            sandboxed([str(program), *map_paths(plan.root, command[1:])], directory),
            cwd=directory,
            env=dict(plan.environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT if stdout is not None else None,
            start_new_session=True,
        )
    except (CommandNotFoundError, OSError) as error:
        raise ContainerError(
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            f"runc create failed: unable to start container process: {error}"
        ) from error


def processes_of(container_id: str) -> list[int]:
    """Return the ids of a container's processes, by the variable that each of them inherits."""
    return list(tagged(f"{CONTAINER_VARIABLE}={container_id}"))


def _exit_code(code: int) -> int:
    return code if code >= 0 else 128 - code


def _kill(process_id: int) -> None:
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_group(process_id: int) -> None:
    try:
        os.killpg(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return
