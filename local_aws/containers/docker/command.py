"""Runs the command line of docker or podman.

It imports little: the reaper and the `docker` of a build import it.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from local_aws.host.process_tags import INSTANCE_VARIABLE

# The label of every container, volume and network that local_aws creates; those of a build have both.
LABEL = "local_aws.instance"
BUILD_LABEL = "local_aws.build"
# Tags the engine's own processes. The instance's variable would be inherited by podman's monitor of a
# container; the reaper would kill it, and podman cannot properly remove a container without its monitor.
ENGINE_VARIABLE = "LOCAL_AWS_ENGINE"

SECONDS = 120.0
# runc's errors have about 250 characters; their last words say what is wrong.
_LONGEST_REASON = 400


class CommandError(Exception):
    """A command failed. The text is the last line that it wrote, without its `Error:`."""


class CommandRecord(TypedDict):
    """The fields of a `Command`, as JSON."""

    path: str
    podman: bool
    version: str
    instance: str
    host: str


@dataclass(frozen=True)
class Command:
    """An engine's command. `host` is the address of docker's daemon, whatever its configuration folder."""

    path: str
    podman: bool
    version: str
    instance: str
    host: str = ""

    @property
    def name(self) -> str:
        """The engine's own name."""
        return "podman" if self.podman else "docker"

    def run(self, *words: str, seconds: float = SECONDS, variables: Mapping[str, str] | None = None) -> str:
        """Run a command and return its output. Raises `CommandError`, also after a timeout."""
        try:
            done = subprocess.run(  # noqa: S603 - the engine, with our arguments
                [self.path, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                env=self.environment(variables),
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{self.name} {words[0]} took longer than {seconds:g} s") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        if done.returncode:
            raise CommandError(reason(done.stderr) or f"{self.name} {words[0]} ended with {done.returncode}")
        return done.stdout.strip()

    def has_image(self, reference: str, variables: Mapping[str, str] | None = None) -> bool:
        """Return whether the engine has an image on this machine."""
        try:
            self.run("image", "inspect", "--format", "{{.Id}}", reference, variables=variables)
        except CommandError:
            return False
        return True

    def open(self, *words: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start a command and return its process, with standard error merged into its output."""
        return subprocess.Popen(  # noqa: S603 - the engine, with our arguments
            [self.path, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(variables),
            # Ctrl-C signals a terminal's whole process group; local_aws stops containers itself.
            start_new_session=True,
        )

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of the engine's processes: this process's, overridden by `variables`."""
        inherited = {name: value for name, value in os.environ.items() if name != INSTANCE_VARIABLE}
        inherited[ENGINE_VARIABLE] = self.instance
        if self.host:
            inherited["DOCKER_HOST"] = self.host
        return {**inherited, **(variables or {})}

    def label(self) -> tuple[str, str]:
        """Return the option that labels what the command creates."""
        return ("--label", f"{LABEL}={self.instance}")

    def insecure(self) -> tuple[str, ...]:
        """Return the option for a registry on loopback without TLS. docker needs none."""
        return ("--tls-verify=false",) if self.podman else ()

    def remove(self) -> tuple[str, ...]:
        """Return the arguments that kill and remove containers. podman alone needs an option not to wait."""
        return ("rm", "--force", "--volumes", *(("--time", "0") if self.podman else ()))

    def record(self) -> CommandRecord:
        """Return the fields, for another process to create the same command."""
        return {
            "path": self.path,
            "podman": self.podman,
            "version": self.version,
            "instance": self.instance,
            "host": self.host,
        }


def reason(text: str) -> str:
    """Return the last line of an error output, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # docker's last line points to its help.
    relevant = [line for line in lines if not line.startswith(("See 'docker", "Run 'docker"))] or lines
    last = relevant[-1] if relevant else ""
    for prefix in ("docker: ", "Error response from daemon: ", "Error: "):
        last = last.removeprefix(prefix)
    return last if len(last) <= _LONGEST_REASON else f"{last[:_LONGEST_REASON]}..."
