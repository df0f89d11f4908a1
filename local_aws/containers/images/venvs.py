"""The Python of an image: a virtual environment at /usr/local, stored without paths of this machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from local_aws.host.interpreters import find_python

PREFIX = Path("usr/local")
# The tools of Debian's slim image only: a health check that needs curl must fail here too (pitfall N5).
# fmt: off
TOOLS = (
    "basename", "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "du",
    "echo", "egrep", "env", "expr", "false", "find", "grep", "gzip", "head",
    "hostname", "id", "kill", "ln", "ls", "mkdir", "mktemp", "mv", "nice",
    "nohup", "paste", "printenv", "printf", "pwd", "readlink", "realpath", "rm", "rmdir",
    "sed", "seq", "sh", "sleep", "sort", "stat", "tail", "tar", "tee",
    "test", "timeout", "touch", "tr", "true", "uname", "uniq", "wc", "xargs",
)
# fmt: on
NETWORK_MODULE = "_local_aws_network"

_PLACE = "/usr/local/bin"
# pip writes the second form if the first would be too long for the kernel.
_SHORT = re.compile(rb"\A#!(?P<python>/[^\n]*?/usr/local/bin/python[0-9.]*)(?P<rest>[^\n]*)\n")
_LONG = re.compile(
    rb"\A#!/bin/sh\n'''exec' \"?(?P<python>/[^\n]*?/usr/local/bin/python[0-9.]*)\"? \"\$0\" \"\$@\"\n' '''\n"
)
_CANONICAL = re.compile(rb"\A#!(?P<python>/usr/local/bin/python[0-9.]*)(?P<rest>[^\n]*)\n")
_LONGEST_SHEBANG = 127


def create(root: Path, version: str) -> str:
    """Create the environment of a base image under `root`, without its path. Return its full version."""
    python = find_python(version)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run(  # noqa: S603 - an interpreter that find_python checked
        [python, "-m", "venv", "--symlinks", root / PREFIX], check=True, capture_output=True, env=environment
    )
    full = _full_version(root)
    for script in (root / PREFIX / "bin").iterdir():
        if script.name.lower().startswith("activate"):
            script.unlink()
        elif script.is_file() and not script.is_symlink():
            script.write_bytes(canonical(script, script.read_bytes()))
    _configure(root, version, f"home = {_PLACE}\nversion = {full}\n", Path(_PLACE) / f"python{version}")
    return full


def _full_version(root: Path) -> str:
    for line in (root / PREFIX / "pyvenv.cfg").read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return value.strip()
    raise ValueError(f"{root / PREFIX / 'pyvenv.cfg'} names no version")


def _configure(root: Path, version: str, text: str, interpreter: Path) -> None:
    (root / PREFIX / "pyvenv.cfg").write_text(text + "include-system-site-packages = false\n")
    folder = root / PREFIX / "bin"
    names = {
        "python": f"python{version}",
        "python3": f"python{version}",
        f"python{version}": str(interpreter),
    }
    for name, target in names.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)


def canonical(path: Path, data: bytes) -> bytes:
    """Return a script's bytes with the interpreter's path in an image. Leave other files as they are."""
    if path.parent.name != "bin" or data[:2] != b"#!":
        return data
    long = _LONG.match(data)
    match = long or _SHORT.match(data)
    if match is None:
        return data
    name = match["python"].rpartition(b"/")[2]
    rest = b"" if long else match["rest"]
    return b"#!" + _PLACE.encode() + b"/" + name + rest + b"\n" + data[match.end() :]


def localise(root: Path, final: Path) -> None:
    """Link an unpacked image to this machine's Python, with the scripts' interpreter below `final`."""
    version = ".".join(_full_version(root).split(".")[:2])
    python = find_python(version)
    _configure(root, version, f"home = {python.parent}\nversion = {_full_version(root)}\n", python)
    for script in (root / PREFIX / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            data = script.read_bytes()
            local = _local(data, final)
            if local != data:
                mode = script.stat().st_mode
                script.write_bytes(local)
                script.chmod(mode)
    packages = root / PREFIX / "lib" / f"python{version}" / "site-packages"
    shutil.copy(Path(__file__).with_name("network.py"), packages / f"{NETWORK_MODULE}.py")
    (packages / f"{NETWORK_MODULE}.pth").write_text(f"import {NETWORK_MODULE}\n")
    _link_tools(root)


def _local(data: bytes, final: Path) -> bytes:
    match = _CANONICAL.match(data)
    if match is None:
        return data
    python = bytes(final) + match["python"]
    if len(python) + len(match["rest"]) + 2 <= _LONGEST_SHEBANG and b" " not in python:
        head = b"#!" + python + match["rest"] + b"\n"
    else:
        head = b"#!/bin/sh\n'''exec' \"" + python + b'" "$0" "$@"\n\' \'\'\'\n'
    return head + data[match.end() :]


def _link_tools(root: Path) -> None:
    folder = root / "usr/bin"
    folder.mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        if found and not (folder / tool).exists():
            (folder / tool).symlink_to(found)
    if not (root / "bin").exists():
        (root / "bin").symlink_to("usr/bin")
