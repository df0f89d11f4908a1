"""Builds an image from a Dockerfile: each step really done in the image's files, or taken from the cache."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.containers.images import layers, venvs
from local_aws.containers.images.build_context import BuildContext, checksum
from local_aws.containers.images.config import PATH, ImageConfig
from local_aws.containers.images.dockerfile_plan import Copy, Plan, Run, Step, make_plan
from local_aws.containers.images.store import Image, ImageStore, timestamp
from local_aws.containers.processes.environment import find_program, image_variables, map_paths

# pip inside an image reaches the network as this machine does: where packages are, and whom to trust.
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
KEPT_BASE = ImageConfig({"PATH": PATH, "LANG": "C.UTF-8"}, command=("python3",))


class BuildError(Exception):
    """A step ended with an error; the text names the step and the exit code, as Docker does."""


@dataclass
class Builder:
    """Builds in one store; `say` gets progress line by line, `host` is the environment that pip may see."""

    store: ImageStore
    say: Callable[[str], None]
    host: Mapping[str, str]
    use_cache: bool = True

    def build(self, dockerfile: Path, context: BuildContext, arguments: Mapping[str, str]) -> Image:
        """Build the Dockerfile; raises `DockerfileError`, `UnsupportedError` or `BuildError`."""
        plan = make_plan(dockerfile.read_text(), arguments, KEPT_BASE)
        total = len(plan.steps) + 1
        self.say(f"#1 [1/{total}] FROM {plan.base}")
        base = self.store.base(plan.python)
        self.say(f"#1 DONE (a stand-in: Python {base.config.environment['PYTHON_VERSION']} of this machine)")
        return self._run_steps(plan, base, context, total)

    def _run_steps(self, plan: Plan, base: Image, context: BuildContext, total: int) -> Image:
        key, diff_ids = base.id, base.layers
        history: list[Mapping[str, Any]] = list(base.content["history"])
        with self.store.scratch() as folder:
            tree = _Tree(self.store, folder / "rootfs", diff_ids)
            for number, step in enumerate(plan.steps, 2):
                self.say(f"#{number} [{number}/{total}] {step.text}")
                files = self._files(step, context)
                key = self.store.cache_key(key, step.text, checksum(files) if files else "")
                known, started = self.store.cached(key) if self.use_cache else None, time.monotonic()
                if known is None:
                    known = {**self._do(step, files, tree, number), "created": timestamp()}
                    self.store.remember(key, known)
                    self.say(f"#{number} DONE {time.monotonic() - started:.1f}s")
                else:
                    self.say(f"#{number} CACHED")
                if "layer" in known:
                    tree.add(known["layer"])
                empty = {} if "layer" in known else {"empty_layer": True}
                history.append({"created": known["created"], "created_by": step.text, **empty})
            variables = {**base.config.environment, **plan.steps[-1].config.environment} if plan.steps else {}
            config = plan.steps[-1].config if plan.steps else base.config
            return self.store.make(config.with_environment(**variables), tree.diff_ids, history)

    def _files(self, step: Step, context: BuildContext) -> dict[str, Path]:
        if not isinstance(step.work, Copy):
            return {}
        return context.resolve(step.work.sources, step.work.destination)

    def _do(self, step: Step, files: dict[str, Path], tree: "_Tree", number: int) -> dict[str, str]:
        if isinstance(step.work, Copy):
            return {"layer": self._copy(step.work, files)}
        if isinstance(step.work, Run):
            return {"layer": self._run(step, step.work, tree.folder(), number)}
        return {}

    def _copy(self, work: Copy, files: dict[str, Path]) -> str:
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

    def _run(self, step: Step, work: Run, root: Path, number: int) -> str:
        directory = root / step.config.working_directory.lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        before = layers.snapshot(root)
        variables = {**self._host_variables(), **image_variables(root, work.environment)}
        # pip reads its user's configuration there; the image's own HOME is empty.
        variables["HOME"] = work.environment.get("HOME") or self.host.get("HOME", str(root))
        # Whatever is wrong with the image, pip must not install into this machine's own Python.
        variables["PIP_REQUIRE_VIRTUALENV"] = "1"
        for command in work.commands:
            self._command(step, command, root, directory, variables, number)
        changed, removed = layers.changes(before, layers.snapshot(root))
        with self.store.scratch() as folder:
            layers.write(folder / "layer", root, changed, removed, content=venvs.canonical)
            return self.store.adopt(folder / "layer")

    def _command(
        self,
        step: Step,
        command: tuple[str, ...],
        root: Path,
        directory: Path,
        variables: Mapping[str, str],
        number: int,
    ) -> None:
        words = [str(find_program(command[0], root, variables)), *map_paths(root, command[1:])]
        process = subprocess.Popen(  # noqa: S603 - pip or compileall of the image itself, see runnable()
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
                self.say(f"#{number} {line.rstrip()}")
        if process.returncode:
            raise BuildError(
                f"failed to solve: process {' '.join(command)!r} did not complete successfully: "
                f"exit code: {process.returncode} ({step.text})"
            )

    def _host_variables(self) -> dict[str, str]:
        return {key: value for key, value in self.host.items() if is_host_variable(key)}


def is_host_variable(key: str) -> bool:
    """Tell whether a variable of this machine says how pip reaches the network."""
    return key.startswith(HOST_VARIABLES) or key in HOST_NAMES


class _Tree:
    """The file system of a build, unpacked only when a step really has to run in it."""

    def __init__(self, store: ImageStore, root: Path, diff_ids: list[str]) -> None:
        self.store = store
        self.root = root
        self.diff_ids = list(diff_ids)
        self.applied = 0

    def add(self, digest: str) -> None:
        self.diff_ids.append(digest)
        # A step that ran here has left its files here already.
        if self.applied == len(self.diff_ids) - 1 and self.ran:
            self.applied += 1
        self.ran = False

    ran = False

    def folder(self) -> Path:
        if not self.root.exists():
            self.store.unpack_to(self.diff_ids, self.root)
        else:
            for digest in self.diff_ids[self.applied :]:
                layers.apply(self.store.blob(digest), self.root)
        self.applied = len(self.diff_ids)
        self.ran = True
        return self.root


def host_environment() -> dict[str, str]:
    """Return what of this process's environment a build may see."""
    return {key: value for key, value in os.environ.items() if is_host_variable(key)}
