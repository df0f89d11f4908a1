"""The file named `docker` that a build finds first on its PATH; what it runs is the engine's own module.

Standard library only: every command of a build starts it.
"""

import sys
from pathlib import Path

# AWS CodeBuild without privileged mode says the same (pitfall F3).
NO_DAEMON = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
)

# Shell and Python at once: a shebang with a long path would not be run by the kernel.
_SCRIPT = """#!/bin/sh
'''exec' '{python}' -I "$0" "$@"
' '''
import sys
sys.path.insert(0, {root!r})
from {module} import main
sys.exit(main({directory!r}, sys.argv[1:]))
"""


def write_script(directory: Path, module: str) -> Path:
    """Put `docker` into `directory` and return its path; it calls `module`'s main(directory, arguments)."""
    root = Path(__file__).resolve().parents[3]
    path = directory / "docker"
    path.write_text(
        _SCRIPT.format(python=sys.executable, root=str(root), module=module, directory=str(directory))
    )
    path.chmod(0o755)
    return path
