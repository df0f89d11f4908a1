"""Run a command that installs packages, from kept wheels if it can; say if it fails without a network.

pip asks the index about each package, even if it has all of them in its cache. So what `pip download`
fetches for a requirements file is kept in that cache, which stays with the build host, and the next build of
the same file needs no network. A kept wheel is as good as a fetched one: --require-hashes checks both.

After its last attempt to reach the index, pip ends as it does for a version that does not exist. CodeBuild
runs this file on Python 3.9: python -I install.py COMMAND...
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

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
    """Run the command, from kept wheels if it can; return its exit code."""
    kept = kept_wheels(command)
    if kept is None:
        return run(command)
    if kept.is_dir():
        if run([*command, *offline(kept)]) == 0:
            return 0
        print("The kept wheels do not fit: asking the index", flush=True)
        shutil.rmtree(kept, ignore_errors=True)
    code = download(command, kept)
    return code or run([*command, *offline(kept)] if kept.is_dir() else command)


def kept_wheels(command: Sequence[str]) -> Path | None:
    """Return the folder of a requirements file's wheels; None for any other command."""
    if "install" not in command or "--require-hashes" not in command or "--requirement" not in command:
        return None
    requirements = Path(command[command.index("--requirement") + 1])
    if not requirements.is_file():
        return None
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    cache = os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip"
    return Path(cache, "wheels-of-requirements", key)


def offline(kept: Path) -> list[str]:
    """Return the options for kept wheels; a package without one is built with the index's help."""
    wheels = ["--find-links", str(kept)]
    built = any(each.suffix != ".whl" for each in kept.iterdir())
    return wheels if built else ["--no-index", *wheels]


def download(command: Sequence[str], kept: Path) -> int:
    """Fetch what the command installs into the folder; return the exit code of `pip download`."""
    words, target = list(command), "--target"
    if target in words:
        del words[words.index(target) : words.index(target) + 2]
    words = ["download" if word == "install" else word for word in words if word != "--no-compile"]
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = tempfile.mkdtemp(dir=kept.parent)
    code = run([*words, "--dest", draft])
    if code == 0:
        # Another build of this host may have been faster.
        with suppress(OSError):
            Path(draft).rename(kept)
    shutil.rmtree(draft, ignore_errors=True)
    return code


def run(command: Sequence[str]) -> int:
    """Run a command with its output shown; return its exit code."""
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
