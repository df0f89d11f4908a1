"""An image store with this Python's base image, created once a session, and projects to build images of."""

import atexit
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local_aws.containers.docker_shim.shim import DockerShim
from local_aws.containers.images.build import Builder
from local_aws.containers.images.build_context import BuildContext
from local_aws.containers.images.store import Image, ImageStore
from local_aws.containers.processes.engine import ProcessEngine
from local_aws.core.clock import Clock
from local_aws.core.sandboxed import as_it_is

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
BASE = f"public.ecr.aws/docker/library/python:{VERSION}-slim"
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@lru_cache
def shared_state() -> Path:
    """Return a state folder for the whole session: creating the base image takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="local-aws-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def shared_store() -> ImageStore:
    """Return the session's store."""
    return ImageStore(shared_state() / "containers")


def settings(state: Path | None = None, endpoint: str = "http://127.0.0.1:9") -> Any:
    """Return the part of a context that the process engine needs."""
    return SimpleNamespace(
        work=state or shared_state(),
        endpoint=endpoint,
        instance="test",
        clock=Clock(0.02),
        sandboxed=as_it_is,
    )


def process_engine() -> ProcessEngine:
    """Return an engine on the session's store."""
    context = settings()
    return ProcessEngine(context, DockerShim(context))


def project(folder: Path, dockerfile: str, **files: str) -> Path:
    """Write a build context; `main__py` is the file main.py."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    (folder / "Dockerfile").write_text(dockerfile.replace("BASE", BASE))
    return folder


def build(folder: Path, lines: list[str] | None = None, **arguments: str) -> Image:
    """Build the project of a folder in the session's store."""
    progress = lines if lines is not None else []
    builder = Builder(shared_store(), progress.append, {})
    return builder.build(folder / "Dockerfile", BuildContext(folder, folder / "Dockerfile"), arguments)


def wheel(folder: Path, name: str = "thing", text: str = "def main():\n    print('the thing')\n") -> str:
    """Write a wheel with a console script, so that pip has something to install without a network."""
    file = f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / file, "w") as archive:
        archive.writestr(f"{name}.py", text)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{about}/RECORD", "")
    return file


def until(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return the first true result of `check`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"still {check()!r} after {seconds} s")
