"""The environment of a build: its folders, the variables of its machine, and the programs in its PATH."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_aws.core.context import Context
from local_aws.host.environment import NETWORK, PIP_CONFIGURATIONS
from local_aws.host.interpreters import PythonNotFoundError, find_python
from local_aws.host.process_tags import INSTANCE_VARIABLE

# The images have AWS CLI 2. Its own options have no effect on version 1, which this is and whose blobs are
# raw; `ecr get-login` is not in it.
# https://docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html
CLI_2 = """case "$1 $2" in "ecr get-login")
  echo "aws: [ERROR]: argument operation: Found invalid choice 'get-login'" >&2; exit 252;;
esac
previous=
for word; do
  shift
  case "$previous $word" in
    *" --no-cli-pager" | *" --no-cli-auto-prompt" | *" --cli-binary-format") ;;
    "--cli-binary-format raw-in-base64-out") ;;
    *) set -- "$@" "$word";;
  esac
  previous=$word
done
"""
SYSTEM_PATH = ("/usr/bin", "/bin")
# The tools of every curated image, in whatever folder of this machine they are.
IMAGE_TOOLS = ("git", "bash", "sh")


@dataclass(frozen=True)
class BuildFolders:
    """A build's folders, all below `root`; `work` contains files of local_aws, not of the build."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "src"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def programs(self) -> Path:
        return self.root / "bin"

    @property
    def python(self) -> Path:
        return self.root / "python"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def create(self) -> None:
        """Create the folders, for this user only: files in them may contain the role's credentials."""
        self.root.mkdir(mode=0o700, parents=True)
        for folder in (self.source, self.home, self.temporary, self.programs, self.work):
            folder.mkdir()

    def remove(self) -> None:
        """Remove the folders and everything in them."""
        subprocess.run(["/bin/rm", "-rf", "--", str(self.root)], check=False, capture_output=True)  # noqa: S603 - ours


def machine_variables(folders: BuildFolders, pip_cache: Path) -> dict[str, str]:
    """Return the variables of the build's machine: PATH, HOME and the settings of the network."""
    path = (str(folders.programs), str(folders.python / "bin"), *SYSTEM_PATH)
    # The only variables of this machine that a build inherits; on AWS it inherits none.
    variables = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    # HOME is the build's own, so pip does not find the user's configuration (a private index) by itself.
    for configuration in PIP_CONFIGURATIONS:
        if (Path.home() / configuration).exists():
            variables.setdefault("PIP_CONFIG_FILE", str(Path.home() / configuration))
    # The gateway is on this machine: no proxy can reach it.
    hosts = [host for host in (variables.get("no_proxy"), "127.0.0.1", "localhost") if host]
    return variables | {
        "PATH": os.pathsep.join(path),
        "HOME": str(folders.home),
        "TMPDIR": str(folders.temporary),
        "LANG": "C.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        # A source has no .git. Without a sandbox, a repository of this machine may be above it.
        "GIT_CEILING_DIRECTORIES": str(folders.root.resolve()),
        "PIP_CACHE_DIR": str(pip_cache),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "no_proxy": ",".join(hosts),
        "NO_PROXY": ",".join(hosts),
        # With it the reaper finds the build's processes after local_aws is killed.
        INSTANCE_VARIABLE: os.environ.get(INSTANCE_VARIABLE, ""),
    }


def aws_variables(context: Context, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the AWS CLI and SDKs: the role's credentials, and local_aws's endpoint."""
    return {
        **credentials,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def write_programs(folders: BuildFolders) -> None:
    """Add `aws` (this installation's AWS CLI) and the image's tools to the build's PATH."""
    command = [sys.executable, "-I", str(Path(sys.executable).parent / "aws")]
    write_script(folders.programs / "aws", f'{CLI_2}exec {shlex.join(command)} "$@"')
    for tool in IMAGE_TOOLS:
        found = shutil.which(tool)
        if found and Path(found).parent not in map(Path, SYSTEM_PATH):
            (folders.programs / tool).symlink_to(found)


def install_python(folders: BuildFolders, version: str, templates: Path) -> None:
    """Create a virtual environment of Python `version` in the build's PATH.

    pip and setuptools are copied from a template, one for each version, because ensurepip takes seconds.
    Raises `PythonNotFoundError` when this machine does not have the version.
    """
    interpreter = find_python(version)
    template = templates / version
    if not (template / "pyvenv.cfg").exists():
        draft = templates / f"{version}.{os.getpid()}.new"
        shutil.rmtree(draft, ignore_errors=True)
        _run([str(interpreter), "-m", "venv", str(draft)])
        if not template.exists():
            draft.rename(template)
    _run([str(interpreter), "-m", "venv", "--without-pip", str(folders.python)])
    packages = Path("lib") / f"python{version}" / "site-packages"
    # Of a thousand files each would wait for the other threads of the server.
    source, target = template / packages, folders.python / packages
    _run(["/bin/cp", "--archive", "--no-target-directory", str(source), str(target)])
    python = folders.python / "bin" / "python"
    for name in ("pip", "pip3", f"pip{version}"):
        write_script(folders.python / "bin" / name, f'exec {shlex.quote(str(python))} -m pip "$@"')


def offer_python(folders: BuildFolders, version: str) -> None:
    """Write programs that create the virtual environment when a command first uses Python or pip.

    They are what a build has that selects no runtime; nothing if this machine does not have `version`.
    """
    try:
        interpreter = find_python(version)
    except PythonNotFoundError:
        return
    created = shlex.quote(str(folders.python / "bin" / "python"))
    create = f"{shlex.quote(str(interpreter))} -m venv {shlex.quote(str(folders.python))}"
    for name in ("python", "python3", f"python{version}", "pip", "pip3", f"pip{version}"):
        module = "-m pip " if name.startswith("pip") else ""
        body = f'[ -e {created} ] || {create} >&2 || exit 1\nexec {created} {module}"$@"'
        write_script(folders.programs / name, body)


def write_script(path: Path, body: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _run(command: list[str]) -> None:
    # The virtual environment of the server must not affect the build's.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, check=True, capture_output=True, env=variables)  # noqa: S603 - an interpreter from find_python
