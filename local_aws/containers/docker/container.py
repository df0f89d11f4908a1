"""One container of docker or podman."""

import math
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable

from local_aws.containers.docker.command import Command, CommandError, reason
from local_aws.containers.engine import ContainerError, ContainerSpec
from local_aws.host.process_tags import kill_all, tagged

START_SECONDS = 60.0
# The time that an engine may need to start a command inside, on a machine under load.
EXEC_SECONDS = 20.0
FOREVER = 1e6
# Tags the processes of a command inside: killing the engine's command line would leave them running.
CHECK_VARIABLE = "LOCAL_AWS_CHECK"

_POLL_SECONDS = 0.1
_STATE = "{{.State.Status}} {{.State.Pid}} {{.State.ExitCode}} {{.State.OOMKilled}}"


class CliContainer:
    """A running container. It is removed after it has ended and `on_line` has its last line."""

    def __init__(
        self,
        command: Command,
        spec: ContainerSpec,
        network: tuple[str, str],
        on_line: Callable[[str], None],
        on_exit: Callable[["CliContainer"], None],
    ) -> None:
        self.command = command
        self.address, network_mode = network
        self.out_of_memory = False
        self._ended = threading.Event()
        self._code: int | None = None
        try:
            self.id = _create(command, spec, network_mode)
        except CommandError as error:
            raise ContainerError(str(error)) from error
        self._process = command.open("start", "--attach", self.id)
        try:
            self.process_id = self._wait_until_it_runs()
        except ContainerError:
            self._remove()
            raise
        threading.Thread(
            target=self._watch, args=(on_line, on_exit), name=f"container-{self.id[:12]}", daemon=True
        ).start()

    @property
    def exit_code(self) -> int | None:
        """The exit code, 128 + n after signal n; None while it runs."""
        return self._code

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended and `on_line` has every line. None after `timeout` seconds."""
        self._ended.wait(timeout)
        return self._code

    def execute(self, command: tuple[str, ...], timeout: float) -> tuple[int, str]:
        """Run a command inside. Raises `TimeoutError` after killing it."""
        tag = uuid.uuid4().hex
        process = self.command.open("exec", "--env", f"{CHECK_VARIABLE}={tag}", self.id, *command)
        # The timeout starts when the command runs: the time of the engine does not count.
        began, deadline = 0.0, time.monotonic() + timeout + EXEC_SECONDS
        while True:
            try:
                output, _ = process.communicate(timeout=_POLL_SECONDS)
                return process.returncode, output.decode(errors="replace")
            except subprocess.TimeoutExpired as error:
                now = time.monotonic()
                if not began and any(tagged(f"{CHECK_VARIABLE}={tag}")):
                    began, deadline = now, now + timeout
                if now > deadline:
                    process.kill()
                    process.communicate()
                    kill_all(lambda: tagged(f"{CHECK_VARIABLE}={tag}"), 2)
                    raise TimeoutError(f"{command[0]} ran longer than {timeout:g} s") from error

    def stop(self, timeout: float) -> int:
        """Send the stop signal to the main process, wait `timeout` real seconds, then send SIGKILL."""
        if self._code is None:
            seconds = math.ceil(timeout)
            try:
                self.command.run("stop", "-t", str(seconds), self.id, seconds=timeout + 60)
            except CommandError:
                # It has ended already, or the engine does not answer.
                self.kill()
        return self.wait() or 0

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""
        if self._code is None:
            try:
                self.command.run("kill", self.id)
            except CommandError:
                return

    def _wait_until_it_runs(self) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            status, process_id, _ = self._state()
            if status not in ("created", "configured", "initialized"):
                return process_id
            if ended:
                output, _ = self._process.communicate()
                raise ContainerError(
                    f"failed to create task for container: {reason(output.decode(errors='replace'))}"
                )
            time.sleep(_POLL_SECONDS)
        raise ContainerError(f"the container did not start within {START_SECONDS:g} s")

    def _state(self) -> tuple[str, int, int]:
        try:
            fields = self.command.run("inspect", "--format", _STATE, self.id)
            status, process_id, code, out_of_memory = fields.split()
        except CommandError as error:
            raise ContainerError(str(error)) from error
        self.out_of_memory = out_of_memory == "true"
        return status, int(process_id), int(code)

    def _watch(self, on_line: Callable[[str], None], on_exit: Callable[["CliContainer"], None]) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as lines:
                for line in lines:
                    on_line(line.decode(errors="replace").rstrip("\n"))
        code = self._process.wait()
        try:
            # The command line may have lost its container: the engine's own exit code counts.
            status, _, exit_code = self._state()
            ended = status in ("exited", "stopped", "dead")
            code = exit_code if ended else int(self.command.run("wait", self.id, seconds=FOREVER))
        except (ContainerError, CommandError):
            # It has been removed: by the end of local_aws, or by a user.
            code = code or 137
        self._remove()
        self._code = code
        self._ended.set()
        on_exit(self)

    def _remove(self) -> None:
        try:
            self.command.run(*self.command.remove(), self.id)
        except CommandError:
            # The reaper removes it by its label when local_aws ends.
            return


def _create(command: Command, spec: ContainerSpec, network: str) -> str:
    # Other users of this machine can read a command's arguments, but neither this file nor an environment.
    with tempfile.NamedTemporaryFile("w", prefix="environment-") as file:
        lines = {name: value for name, value in spec.environment.items() if "\n" in value}
        file.writelines(f"{name}={value}\n" for name, value in spec.environment.items() if name not in lines)
        file.flush()
        # A value of the file cannot contain a line break.
        words = ["--env-file", file.name, *(word for name in lines for word in ("--env", name))]
        return command.run("create", *words, *create_words(command, spec, network), variables=lines).split()[
            -1
        ]


def create_words(command: Command, spec: ContainerSpec, network: str) -> list[str]:
    """Return the arguments of `create` for a container of `spec`, without its variables."""
    # ECS ignores an image's own health check; the engine would run it.
    words = ["--pull", "never", *command.label(), "--network", network, "--no-healthcheck"]
    words += ["--name", f"local-aws-{spec.name}-{uuid.uuid4().hex[:12]}"]
    if spec.read_only:
        # podman alone leaves /tmp and /run writable.
        words += ["--read-only", *(("--read-only-tmpfs=false",) if command.podman else ())]
    if spec.user:
        words += ["--user", spec.user]
    if spec.memory:
        words += ["--memory", f"{spec.memory}m", "--memory-swap", f"{spec.memory}m"]
    if spec.cpu:
        words += ["--cpu-shares", str(spec.cpu)]
    if spec.working_directory:
        words += ["--workdir", spec.working_directory]
    if spec.entrypoint:
        words += ["--entrypoint", spec.entrypoint[0]]
    return [*words, spec.image, *spec.entrypoint[1:], *spec.command]
