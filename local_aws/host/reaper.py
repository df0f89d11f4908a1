"""A process that outlives the server for a moment and kills everything that the server started.

A server killed with SIGKILL cannot clean up. The reaper holds the read end of a pipe from it. When the pipe
closes, the reaper kills every process that has the server's instance in its environment, in whatever session
it runs, and then runs the cleanup command.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from local_aws.host.modules import module_command
from local_aws.host.process_tags import INSTANCE_VARIABLE, kill_all, tagged

REAP_SECONDS = 30.0


class ReaperHandle:
    """The server's end of the pipe. `timeout` is how long the reaper may take, in seconds."""

    def __init__(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        self.process = process
        self.timeout = timeout

    def finish(self) -> None:
        """Let the reaper work now, and wait until it is done."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(self.timeout)


def start(instance: str, cleanup: Sequence[str] = (), cleanup_seconds: float = 0.0) -> ReaperHandle:
    """Start the reaper of `instance` for the life of this process.

    `cleanup` is the command that it runs after the last process is gone; `cleanup_seconds` is its time limit.
    """
    environment = {name: value for name, value in os.environ.items() if name != INSTANCE_VARIABLE}
    process = subprocess.Popen(  # noqa: S603 - our own module, and an identifier that we made
        module_command("local_aws.host.reaper", instance, *cleanup),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        # Ctrl-C in a terminal reaches the whole process group; the reaper must not stop first.
        start_new_session=True,
    )
    return ReaperHandle(process, 2 * REAP_SECONDS + cleanup_seconds)


def processes(instance: str) -> Iterator[int]:
    """Yield the ids of the processes that were started with `instance` in their environment."""
    return tagged(f"{INSTANCE_VARIABLE}={instance}")


def reap(instance: str) -> None:
    """Send SIGKILL to every process of `instance` until none is left."""
    kill_all(lambda: processes(instance), REAP_SECONDS)


def main() -> None:
    """Wait for the end of standard input, then kill the processes and run the cleanup command."""
    instance, *cleanup = sys.argv[1:]
    while sys.stdin.buffer.read(1024):
        pass
    reap(instance)
    if cleanup:
        subprocess.run(cleanup, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - the server's own command


if __name__ == "__main__":
    main()
