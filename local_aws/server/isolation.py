"""What builds, tasks and functions see of this machine's files."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local_aws.host.environment import NETWORK, PIP_CONFIGURATIONS
from local_aws.host.interpreters import installations
from local_aws.host.sandbox import Sandbox

ISOLATED = "builds, tasks and functions do not see your home folder"
# A path list of what a build needs from the home folder besides `_visible`.
VARIABLE = "LOCAL_AWS_VISIBLE"
_PACKAGE = Path(__file__).resolve().parents[1]


def start_sandbox(state: Path, work: Path, node_modules: Path | None) -> Sandbox:
    """Start the sandbox: of the home folder and of the state folder, it has only what programs need.

    The same goes for a git checkout around the state folder: git, pytest and others search upwards.
    """
    runtime = Path(f"/run/user/{os.getuid()}")
    homes = {Path.home().resolve(), Path(pwd.getpwuid(os.getuid()).pw_dir).resolve()} - {Path("/")}
    checkouts = [folder for folder in state.resolve().parents if (folder / ".git").exists()]
    around = {*homes, runtime, state, *checkouts} - {Path("/")}
    hidden = [folder for folder in around if folder.is_dir()]
    visible = [*_visible(os.environ), *([node_modules] if node_modules else [])]
    return Sandbox(hidden, visible, [work])


def describe(sandbox: Sandbox) -> str:
    """Return what the server says first about its sandbox."""
    if not sandbox.problem:
        return ISOLATED
    return f"NOT ISOLATED: builds, tasks and functions can read your files ({sandbox.problem})"


def _visible(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield what programs need: interpreters, PATH, this package, pip's configuration, certificates."""
    yield from (Path(sys.prefix), Path(sys.base_prefix), _PACKAGE, *installations())
    for name in variables.get("PATH", os.defpath).split(os.pathsep):
        yield from _program_folders(Path(name))
    yield from (Path.home() / name for name in PIP_CONFIGURATIONS)
    yield Path(variables.get("DOCKER_CONFIG") or Path.home() / ".docker") / "cli-plugins"
    named = [value for name, value in variables.items() if NETWORK.fullmatch(name) or name == VARIABLE]
    yield from (Path(part) for value in named for part in value.split(os.pathsep) if part.startswith("/"))


def _program_folders(folder: Path) -> Iterator[Path]:
    """Yield a folder of PATH, and the installation of its Python (`~/miniconda3/bin`)."""
    if not folder.is_absolute() or not folder.is_dir():
        return
    yield folder
    found = shutil.which("python3", path=str(folder))
    if found and Path(found).resolve().parent.name == "bin":
        yield Path(found).resolve().parents[1]
