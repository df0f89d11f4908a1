"""Builds an image from a Dockerfile: each step runs in the image's files, or comes from the cache."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_aws.containers.images import layers, venvs
from local_aws.containers.images.build_context import BuildContext, checksum
from local_aws.containers.images.config import BASE_CONFIG
from local_aws.containers.images.dockerfile_plan import (
    BuildPlan,
    BuildStep,
    CopyFiles,
    RunCommands,
    make_plan,
)
from local_aws.containers.images.environment import find_program, image_variables, map_paths
from local_aws.containers.images.store import HistoryEntry, Image, ImageStore, timestamp

# pip inside an image uses this machine's package index, proxies and certificates.
HOST_VARIABLES = ("PIP_", "UV_INDEX")
HOST_NAMES = frozenset(
    {
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "HOME",
    }
)


class BuildError(Exception):
    """A step failed. The text names the step and the exit code, as Docker's does."""


@dataclass
class Builder:
    """Builds images in one store. `on_line` gets progress; `host` holds the variables that pip may use.

    `on_base` gets the name of the base image before it is used, and may raise.
    """

    store: ImageStore
    on_line: Callable[[str], None]
    host: Mapping[str, str]
    use_cache: bool = True
    on_base: Callable[[str], None] = lambda _name: None

    def build(self, dockerfile: Path, context: BuildContext, arguments: Mapping[str, str]) -> Image:
        """Build a Dockerfile. Raises `DockerfileError`, `UnsupportedError` or `BuildError`."""
        plan = make_plan(dockerfile.read_text(), arguments, BASE_CONFIG)
        total = len(plan.steps) + 1
        self.on_line(f"#1 [1/{total}] FROM {plan.base}")
        self.on_base(plan.base)
        base = self.store.base(plan.python)
        self.on_line(
            f"#1 DONE (a stand-in: Python {base.config.environment['PYTHON_VERSION']} of this machine)"
        )
        return self._run_steps(plan, base, context, total)

    def _run_steps(self, plan: BuildPlan, base: Image, context: BuildContext, total: int) -> Image:
        key = base.id
        history = list(base.content["history"])
        with self.store.scratch() as folder:
            files = _BuildFiles(self.store, folder / "rootfs", base.layers)
            for number, step in enumerate(plan.steps, 2):
                self.on_line(f"#{number} [{number}/{total}] {step.text}")
                key, result = self._run_step(step, context, files, key, number)
                if "layer" in result:
                    files.add_layer(result["layer"])
                entry: HistoryEntry = {"created": result["created"], "created_by": step.text}
                if "layer" not in result:
                    entry["empty_layer"] = True
                history.append(entry)
            variables = {**base.config.environment, **plan.steps[-1].config.environment} if plan.steps else {}
            config = plan.steps[-1].config if plan.steps else base.config
            return self.store.make(config.with_environment(**variables), files.diff_ids, history)

    def _run_step(
        self, step: BuildStep, context: BuildContext, files: "_BuildFiles", parent_key: str, number: int
    ) -> tuple[str, dict[str, str]]:
        """Return a step's cache key and its result, from the cache if possible."""
        copied, started = self._copied_files(step, context), time.monotonic()
        key = self.store.cache_key(parent_key, step.text, checksum(copied) if copied else "")
        cached = self.store.cached(key) if self.use_cache else None
        if cached is not None:
            self.on_line(f"#{number} CACHED")
            return key, cached
        result = {**self._execute(step, copied, files, number), "created": timestamp()}
        self.store.cache(key, result)
        self.on_line(f"#{number} DONE {time.monotonic() - started:.1f}s")
        return key, result

    def _copied_files(self, step: BuildStep, context: BuildContext) -> dict[str, Path]:
        if not isinstance(step.work, CopyFiles):
            return {}
        return context.resolve(step.work.sources, step.work.destination)

    def _execute(
        self, step: BuildStep, copied: dict[str, Path], files: "_BuildFiles", number: int
    ) -> dict[str, str]:
        if isinstance(step.work, CopyFiles):
            return {"layer": self._copy(step.work, copied)}
        if isinstance(step.work, RunCommands):
            return {"layer": self._run(step, step.work, files.unpacked(), number)}
        return {}

    def _copy(self, work: CopyFiles, files: dict[str, Path]) -> str:
        with self.store.scratch() as folder:
            root = folder / "rootfs"
            for name, source in files.items():
                target = root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir() and not source.is_symlink():
                    target.mkdir(exist_ok=True)
                else:
                    shutil.copy2(source, target, follow_symlinks=False)
            paths = sorted(layers.snapshot(root))
            layers.write(folder / "layer", root, paths, owner=work.owner)
            return self.store.adopt(folder / "layer")

    def _run(self, step: BuildStep, work: RunCommands, root: Path, number: int) -> str:
        directory = root / step.config.working_directory.lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        before = layers.snapshot(root)
        variables = {**self._host_variables(), **image_variables(root, work.environment)}
        # pip reads the user's configuration there; the image's own HOME is empty.
        variables["HOME"] = work.environment.get("HOME") or self.host.get("HOME", str(root))
        # Even in a broken image, pip must not install into this machine's own Python.
        variables["PIP_REQUIRE_VIRTUALENV"] = "1"
        for command in work.commands:
            self._command(step, command, root, directory, variables, number)
        changed, removed = layers.changes(before, layers.snapshot(root))
        with self.store.scratch() as folder:
            layers.write(folder / "layer", root, changed, removed, content=venvs.canonical)
            return self.store.adopt(folder / "layer")

    def _command(
        self,
        step: BuildStep,
        command: tuple[str, ...],
        root: Path,
        directory: Path,
        variables: Mapping[str, str],
        number: int,
    ) -> None:
        words = [str(find_program(command[0], root, variables, directory)), *map_paths(root, command[1:])]
        process = subprocess.Popen(  # noqa: S603 - pip or compileall of the image, see runnable()
            words,
            cwd=directory,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        with process:
            for line in process.stdout or ():
                self.on_line(f"#{number} {line.rstrip()}")
        if process.returncode:
            raise BuildError(
                f"failed to solve: process {' '.join(command)!r} did not complete successfully: "
                f"exit code: {process.returncode} ({step.text})"
            )

    def _host_variables(self) -> dict[str, str]:
        return {key: value for key, value in self.host.items() if is_host_variable(key)}


def is_host_variable(key: str) -> bool:
    """Return whether a variable of this machine configures how pip reaches the network."""
    return key.startswith(HOST_VARIABLES) or key in HOST_NAMES


class _BuildFiles:
    """The file system of a build, unpacked when a step has to run in it."""

    def __init__(self, store: ImageStore, root: Path, diff_ids: list[str]) -> None:
        self.store = store
        self.root = root
        self.diff_ids = list(diff_ids)
        self._applied = 0
        self._step_ran_here = False

    def add_layer(self, digest: str) -> None:
        """Add the layer of a step that is done."""
        self.diff_ids.append(digest)
        # The files of a step that ran in `root` are there already.
        if self._step_ran_here and self._applied == len(self.diff_ids) - 1:
            self._applied += 1
        self._step_ran_here = False

    def unpacked(self) -> Path:
        """Return the folder with all layers applied, for a step to run in."""
        if not self.root.exists():
            self.store.unpack_to(self.diff_ids, self.root)
        else:
            for digest in self.diff_ids[self._applied :]:
                layers.apply(self.store.blob(digest), self.root)
        self._applied = len(self.diff_ids)
        self._step_ran_here = True
        return self.root


def host_environment() -> dict[str, str]:
    """Return the variables of this process that a build gets."""
    return {key: value for key, value in os.environ.items() if is_host_variable(key)}
