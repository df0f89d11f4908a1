"""The folders of runs, under .local_aws."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.cloud import PROJECT

ROOT = PROJECT / ".local_aws"


def folder(name: str, root: Path = ROOT) -> Path:
    """Return the folder `name`, which all runs share."""
    (root / name).mkdir(parents=True, exist_ok=True)
    return root / name


def run_folder(name: str, root: Path = ROOT) -> Path:
    """Return a new folder for one run of `name`."""
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=folder(name, root)))


def remove_finished_runs(name: str, is_running: Callable[[Path], bool], root: Path = ROOT) -> None:
    """Remove the folders of earlier runs of `name`, except those for which `is_running` returns true."""
    for entry in folder(name, root).iterdir():
        if not is_running(entry):
            shutil.rmtree(entry)
