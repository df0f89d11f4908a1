"""Where runs write: under .local_aws, one folder each."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.cloud import PROJECT

ROOT = PROJECT / ".local_aws"


def folder(name: str, root: Path = ROOT) -> Path:
    """Return the folder `name`, which stays from run to run."""
    (root / name).mkdir(parents=True, exist_ok=True)
    return root / name


def run_folder(name: str, root: Path = ROOT) -> Path:
    """Return a new folder for one run of `name`."""
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=folder(name, root)))


def clear(name: str, runs: Callable[[Path], bool], root: Path = ROOT) -> None:
    """Remove what earlier runs of `name` wrote, except those that go on, as `runs` says of a folder."""
    for entry in folder(name, root).iterdir():
        if not runs(entry):
            shutil.rmtree(entry)
