"""The command line of docker or podman: what is run with it, as whom, and what it answers.

It imports little: the reaper and the `docker` of a build start with it.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.host.process_tags import INSTANCE_VARIABLE

# Every container, volume and network that local_aws makes carries the first; a build's, the second too.
LABEL = "local_aws.instance"
BUILD_LABEL = "local_aws.build"
# The mark of the engine's own processes. Not the instance's: podman's monitor of a container inherits it,
# and a container whose monitor was killed cannot be removed in good order.
ENGINE_VARIABLE = "LOCAL_AWS_ENGINE"

SECONDS = 120.0
_LONGEST_REASON = 160


class CommandError(Exception):
    """A command failed; the text is the last line that it wrote, without its `Error:`."""


@dataclass(frozen=True)
class Command:
    """One engine's command. `host` leads docker to its daemon, whatever configuration folder it is given."""

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
        """Run a command to its end and return what it wrote. Raises `CommandError`, also for a slow one."""
        try:
            done = subprocess.run(  # noqa: S603 - the engine, with words of our own
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

    def open(self, *words: str, variables: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start a command that goes on, both of its outputs in one."""
        return subprocess.Popen(  # noqa: S603 - the engine, with words of our own
            [self.path, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(variables),
            # Ctrl-C goes to a terminal's whole group; containers are ended in order.
            start_new_session=True,
        )

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables that the engine's processes get: this process's, and `variables`."""
        mine = {name: value for name, value in os.environ.items() if name != INSTANCE_VARIABLE}
        mine[ENGINE_VARIABLE] = self.instance
        if self.host:
            mine["DOCKER_HOST"] = self.host
        return {**mine, **(variables or {})}

    def label(self) -> tuple[str, str]:
        """Return the option that marks what is made."""
        return ("--label", f"{LABEL}={self.instance}")

    def insecure(self) -> tuple[str, ...]:
        """Return the option for a registry on loopback without TLS; docker needs none there."""
        return ("--tls-verify=false",) if self.podman else ()

    def remove(self) -> tuple[str, ...]:
        """Return the words that kill and remove containers; podman alone would give them time to end."""
        return ("rm", "--force", "--volumes", *(("--time", "0") if self.podman else ()))

    def record(self) -> dict[str, Any]:
        """Return what another process needs to make the same command."""
        return dict(vars(self))


def reason(text: str) -> str:
    """Return the last line of an error as one short line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # docker ends with a hint to its help.
    told = [line for line in lines if not line.startswith("See 'docker")] or lines
    last = told[-1] if told else ""
    for prefix in ("docker: ", "Error response from daemon: ", "Error: "):
        last = last.removeprefix(prefix)
    return last if len(last) <= _LONGEST_REASON else f"{last[:_LONGEST_REASON]}..."
