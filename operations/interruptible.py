"""Runs a command that must not go on by itself when this process is interrupted."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: IO[str] | None
) -> int:
    """Run `command` with its output in a file or in the terminal; return its exit code.

    An exception here, such as KeyboardInterrupt, kills it and what it has started: the `node` of the virtual
    environment is a program that starts another one, which would go on with a deployment.
    """
    process = subprocess.Popen(  # noqa: S603 - our own programs with our own arguments
        command,
        cwd=folder,
        env=dict(environment),
        stdout=output,
        stderr=output and subprocess.STDOUT,
        # A Ctrl-C in the terminal reaches only this process, which decides.
        start_new_session=True,
    )
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
