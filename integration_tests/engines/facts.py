"""Runs in a task, on the image's Python: prints what a program there finds, as one line of JSON."""

import json
import os
import resource
import signal
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

# What a log must not change.
LINES = ("  spaces  ", "", "a tab\there", "a carriage return\r", "é ☃ \U0001f680", "x" * 20000)


def main() -> None:
    """Print the facts, and lines that a log could change."""
    metadata = os.environ.get("ECS_CONTAINER_METADATA_URI_V4", "")
    ignored = [one.name for one in signal.Signals if one < 32 and signal.getsignal(one) == signal.SIG_IGN]
    facts = {
        "user": [os.getuid(), os.getgid(), os.getgroups()],
        "process id": os.getpid(),
        "working directory": str(Path.cwd()),
        "arguments": sys.argv,
        "variables": dict(os.environ),
        "terminals": [os.isatty(number) for number in range(3)],
        "standard input": repr(sys.stdin.read(1)),
        "file mode mask": os.umask(0o22),
        "encoding": sys.stdout.encoding,
        "ignored signals": " ".join(ignored),
        "core files": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "may write": {folder: may_write(Path(folder)) for folder in ("/", "/srv", "/tmp", "/dev/shm")},  # noqa: S108
        "loopback": loopback(),
        "metadata": fetch(metadata),
        "task metadata": fetch(f"{metadata}/task"),
    }
    print(json.dumps(facts), flush=True)
    for line in LINES:
        print(line, flush=True)
    sys.stdout.buffer.write(b"no utf-8: \xff\xfe\n")
    sys.stdout.flush()
    print("without a line break", end="", flush=True)


def may_write(folder: Path) -> str:
    """Return whether a file can be written, or the error."""
    try:
        (folder / "written-by-facts").touch()
    except OSError as error:
        return type(error).__name__
    (folder / "written-by-facts").unlink()
    return "yes"


def loopback() -> str:
    """Return the peer of a connection over loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()[:2], 5):
            return "127.0.0.1" if listener.accept()[1][0] == "127.0.0.1" else "another address"


def fetch(url: str) -> Any:
    """Return what the metadata endpoint answers."""
    if not url.startswith("http"):
        return "no endpoint"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the endpoint of the task
            return json.loads(answer.read())
    except OSError as error:
        return repr(error)


if __name__ == "__main__":
    main()
