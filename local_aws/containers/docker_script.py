"""Writes the script named `docker` that a build finds first on its PATH.

It imports little: every command of a build starts it.
"""

import sys
from pathlib import Path

# The words of CodeBuild without privileged mode (pitfall F3).
NO_DAEMON = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
)

# Both a shell and a Python script: the kernel does not run a shebang line with a long path.
_SCRIPT = """#!/bin/sh
'''exec' '{python}' -I "$0" "$@"
' '''
import sys
sys.path.insert(0, {root!r})
from {module} import main
sys.exit(main({directory!r}, sys.argv[1:]))
"""


def write_script(directory: Path, module: str) -> Path:
    """Write `docker` into `directory`, to call `main(directory, arguments)` of `module`. Return its path."""
    root = Path(__file__).resolve().parents[2]
    path = directory / "docker"
    path.write_text(
        _SCRIPT.format(python=sys.executable, root=str(root), module=module, directory=str(directory))
    )
    path.chmod(0o755)
    return path
