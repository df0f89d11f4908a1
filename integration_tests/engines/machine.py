"""What an engine of this folder needs of the machine, and how everything of it is removed again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import HarnessError

# The programs of each engine, and the packages that bring them. Both get their bridge from ip.
PROGRAMS = {"docker": ("dockerd", "docker", "containerd", "ip"), "podman": ("podman", "ip")}
PACKAGES = {"docker": "docker.io iproute2", "podman": "podman containernetworking-plugins iproute2"}
CGROUP_ROOT = Path("/sys/fs/cgroup")
# The control group below which each puts its containers.
CGROUPS = {"docker": "docker", "podman": "libpod_parent"}
# Of podman's networks only those of CNI can do without a firewall; podman 5 has no such network any more.
CNI = Path("/usr/lib/cni/bridge")
ENGINES = tuple(PROGRAMS)
# The path of a socket has 108 bytes at most.
TEMPORARY = Path("/tmp")  # noqa: S108 - mkdtemp chooses the names


def missing(engine: str) -> str:
    """Say why an engine is not played on this machine, or return nothing."""
    if absent := [name for name in PROGRAMS[engine] if shutil.which(name) is None]:
        return f"there is no {', '.join(absent)}: apt-get install {PACKAGES[engine]}"
    if os.geteuid():
        return "only root can start it: sudo make engines"
    return _no_cni() if engine == "podman" else ""


def _no_cni() -> str:
    version = run("podman", "--version").split()[-1]
    if int(version.partition(".")[0]) >= 5:
        return f"podman {version} has no CNI: it needs podman 4"
    return "" if CNI.exists() else f"there is no {CNI}: apt-get install containernetworking-plugins"


@contextmanager
def own_folder(engine: str) -> Iterator[Path]:
    """Keep a folder for everything that an engine stores; then unmount what it mounted, and remove all."""
    for left in TEMPORARY.glob(f"engines-{engine}-*"):
        # A run that was killed has left it.
        if not left.is_symlink() and not Path("/proc", left.name.split("-")[2]).exists():
            _remove_folder(left)
    folder = Path(tempfile.mkdtemp(prefix=f"engines-{engine}-{os.getpid()}-", dir=TEMPORARY))
    before = _cgroups(engine)
    try:
        yield folder
    finally:
        _remove_folder(folder)
        for made in _cgroups(engine) - before:
            _remove_cgroup(made)


def _remove_folder(folder: Path) -> None:
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{folder}/"):
            run("umount", line.split()[1])
    shutil.rmtree(folder)


@contextmanager
def own_bridge(name: str, address: str) -> Iterator[None]:
    """Keep a bridge of this name, which only this machine reaches: no packet is forwarded."""
    # A run that was killed has left it.
    remove_bridge(name)
    run("ip", "link", "add", name, "type", "bridge")
    try:
        run("ip", "address", "add", address, "dev", name)
        run("ip", "link", "set", name, "up")
        yield
    finally:
        remove_bridge(name)


def remove_bridge(name: str) -> None:
    """Remove a bridge, if there is one."""
    if Path("/sys/class/net", name).exists():
        run("ip", "link", "delete", name)


def run(*words: str | Path) -> str:
    """Run a command and return what it prints. Raises `HarnessError` with its last line."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our arguments
    except OSError as error:
        raise HarnessError(f"{words[0]}: {error.strerror}") from error
    if done.returncode:
        raise HarnessError(f"{' '.join(map(str, words[:3]))}: {last_line(done.stderr)}")
    return done.stdout.strip()


def last_line(text: str) -> str:
    """Return the last line of a text that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message")


def _cgroups(engine: str) -> set[Path]:
    """Return the control groups below which an engine puts containers: one, or one of each controller."""
    name = CGROUPS[engine]
    return {found for pattern in (name, f"*/{name}") for found in CGROUP_ROOT.glob(pattern)}


def _remove_cgroup(folder: Path) -> None:
    for below in folder.iterdir():
        if below.is_dir():
            _remove_cgroup(below)
    # Its files are the kernel's.
    folder.rmdir()
