"""What a build finds around it: folders of its own, its machine's variables, and a PATH made for it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_aws.core.context import Context
from local_aws.host.interpreters import find_python
from local_aws.host.process_tags import INSTANCE_VARIABLE

# All that a build sees of this machine's own environment: how pip and git get out to the package index
# (certificates, proxy, index). On AWS the machine of the build needs no such help.
NETWORK_VARIABLES = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|TRUSTED_HOST|CERT|CLIENT_CERT|DEFAULT_TIMEOUT|CONFIG_FILE|PROXY)"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|(?i:https?_proxy|no_proxy)"
)
PIP_CONFIGURATIONS = (".config/pip/pip.conf", ".pip/pip.conf")
SYSTEM_PATH = ("/usr/bin", "/bin")
# What every curated image has, wherever this machine keeps it.
IMAGE_TOOLS = ("git", "bash", "sh")


@dataclass(frozen=True)
class Folders:
    """A build's own folders, all below `root`; `work` holds what no command is meant to read."""

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

    def make(self) -> None:
        """Make them, for this user alone: the role's credentials pass through here."""
        self.root.mkdir(mode=0o700, parents=True)
        for folder in (self.source, self.home, self.temporary, self.programs, self.work):
            folder.mkdir()

    def remove(self) -> None:
        """Remove everything that the build left."""
        shutil.rmtree(self.root, ignore_errors=True)


def machine_variables(folders: Folders, pip_cache: Path) -> dict[str, str]:
    """Return what the build's machine itself sets: PATH, HOME and the way to the network."""
    path = (str(folders.programs), str(folders.python / "bin"), *SYSTEM_PATH)
    variables = {name: value for name, value in os.environ.items() if NETWORK_VARIABLES.fullmatch(name)}
    # HOME is the build's own, so the user's pip configuration (an index of the company's) has to be named.
    for place in PIP_CONFIGURATIONS:
        if (Path.home() / place).exists():
            variables.setdefault("PIP_CONFIG_FILE", str(Path.home() / place))
    # The gateway is on this machine, whatever proxy leads out of it.
    hosts = [host for host in (variables.get("no_proxy"), "127.0.0.1", "localhost") if host]
    return variables | {
        "PATH": os.pathsep.join(path),
        "HOME": str(folders.home),
        "TMPDIR": str(folders.temporary),
        "LANG": "C.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "PIP_CACHE_DIR": str(pip_cache),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "no_proxy": ",".join(hosts),
        "NO_PROXY": ",".join(hosts),
        # By it the reaper finds what the build left when the server is killed.
        INSTANCE_VARIABLE: os.environ.get(INSTANCE_VARIABLE, ""),
    }


def aws_variables(context: Context, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return what the AWS CLI and SDKs need: the service role's temporary credentials and our endpoint."""
    return {
        **credentials,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def write_programs(folders: Folders) -> None:
    """Put `aws` (this installation's AWS CLI) and the image's tools into the build's PATH."""
    command = [sys.executable, "-I", str(Path(sys.executable).parent / "aws")]
    write_script(folders.programs / "aws", f'exec {shlex.join(command)} "$@"')
    for tool in IMAGE_TOOLS:
        found = shutil.which(tool)
        if found and Path(found).parent not in map(Path, SYSTEM_PATH):
            (folders.programs / tool).symlink_to(found)


def install_python(folders: Folders, version: str, templates: Path) -> None:
    """Make a fresh virtual environment of Python `version` in the build's PATH.

    pip and setuptools are copied from a template made once for each Python: ensurepip takes seconds. Raises
    `local_aws.host.interpreters.PythonNotFoundError` when this machine has no such Python.
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
    shutil.copytree(template / packages, folders.python / packages, dirs_exist_ok=True)
    python = folders.python / "bin" / "python"
    for name in ("pip", "pip3", f"pip{version}"):
        write_script(folders.python / "bin" / name, f'exec {shlex.quote(str(python))} -m pip "$@"')


def write_script(path: Path, body: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _run(command: list[str]) -> None:
    # A virtual environment of the server's must not leak into the build's.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, check=True, capture_output=True, env=variables)  # noqa: S603 - an interpreter that we found
