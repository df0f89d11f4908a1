"""A small process that outlives the server by a moment and kills what the server started.

`kill -9` gives the server no last word. The reaper holds the reading end of a pipe from it: when the pipe
ends, every process that carries our instance in its environment is killed, in whatever session it lives, and
what docker or podman have of ours is removed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from local_aws.containers.docker import cleanup
from local_aws.host.process_tags import INSTANCE_VARIABLE, kill_all, marked

GIVE_UP_SECONDS = 30.0
FINISH_SECONDS = 2 * GIVE_UP_SECONDS + cleanup.SECONDS


class Watching:
    """The server's end of the pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def finish(self, timeout: float = FINISH_SECONDS) -> None:
        """Let the reaper do its work now, and wait until nothing of ours is left."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout)


def start(instance: str, state: Path | None = None) -> Watching:
    """Start the reaper of `instance` for the life of this process; `state` says which engine it used."""
    environment = {name: value for name, value in os.environ.items() if name != INSTANCE_VARIABLE}
    process = subprocess.Popen(  # noqa: S603 - our own module, and an identifier that we made
        [sys.executable, "-m", "local_aws.host.reaper", instance, *([str(state)] if state else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=Path(__file__).resolve().parent.parent.parent,
        # Ctrl-C in a terminal goes to the whole group; the reaper must not go first.
        start_new_session=True,
    )
    return Watching(process)


def processes(instance: str) -> Iterator[int]:
    """Yield the process ids that carry `instance` in the environment they were started with."""
    return marked(f"{INSTANCE_VARIABLE}={instance}")


def reap(instance: str) -> None:
    """SIGKILL every process of `instance`, again and again until none is left."""
    kill_all(lambda: processes(instance), GIVE_UP_SECONDS)


def main() -> None:
    """Wait for the end of standard input, then reap."""
    while sys.stdin.buffer.read(1024):
        pass
    reap(sys.argv[1])
    if sys.argv[2:]:
        cleanup.remove_resources(Path(sys.argv[2]) / "containers")


if __name__ == "__main__":
    main()
