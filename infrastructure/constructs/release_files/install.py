"""Run a command that installs packages; if it fails without a network, say so in the last line.

After its last attempt to reach the index, pip ends as it does for a version that does not exist. CodeBuild
runs this file on Python 3.9: python -I install.py COMMAND...
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

# An index that answers has versions, or answers the first attempt.
OUT_OF_REACH = re.compile(
    r"Retry\(total=0,.* connection broken by '(\w+)[\s\S]*\(from versions: none\)"
    r"[\s\S]*No matching distribution found for (\S+)"
)
NEEDS = (
    "A build needs HTTPS to pypi.org and files.pythonhosted.org, and to public.ecr.aws for its base image: "
    "check the network of the build, then retry the stage"
)


def explanation(output: str) -> str:
    """Return what to say of a failed installation, or nothing if the network is not why."""
    found = OUT_OF_REACH.search(output)
    return (
        f"the package index cannot be reached ({found[1]}), so pip found no {found[2]}. {NEEDS}"
        if found
        else ""
    )


def main(command: Sequence[str]) -> int:
    """Run the command with its output shown; return its exit code."""
    lines = []
    with subprocess.Popen(  # noqa: S603 - a command of the platform's buildspec
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0 and (said := explanation("".join(lines))):
        print(said, file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
