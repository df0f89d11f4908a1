"""The base image of the Dockerfile, made of this machine's own files: no registry is asked.

It has a shell, a few programs, Python and pip, and the wheels that the service pins. A build installs these
without a network, so an engine needs no rules of a firewall.
"""

import re
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.cloud import PROJECT, HarnessError
from integration_tests.engines.machine import run

PROGRAMS = ("sh", "cat", "cp", "env", "id", "ls", "mkdir", "rm", "sleep", "touch")
VERSION = "3.9"
# The shared libraries that a program needs, as `ldd` prints them; the loader itself has no arrow.
_LIBRARY = re.compile(r"^\s+(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
_FROM = re.compile(r"^FROM (?P<repository>\S+):(?P<tag>[\w.-]+)@(?P<digest>sha256:\w+)", re.MULTILINE)
# As in the real image.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_PIP = "[global]\nno-index = true\nfind-links = /wheels\n"


@dataclass(frozen=True)
class BaseImage:
    """The files of the image as an archive; its name is that of the Dockerfile's FROM, in its parts."""

    archive: Path
    version: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def write(cls, folder: Path) -> "BaseImage":
        """Write the archive into `folder`."""
        version = run(_python(), "-c", "import platform; print(platform.python_version())")
        return cls(_write_archive(folder), version, *names())

    @property
    def changes(self) -> list[str]:
        """The options of `import` that set the image's variables."""
        variables = {**ENVIRONMENT, "PYTHON_VERSION": self.version}
        return [word for name, value in variables.items() for word in ("--change", f"ENV {name}={value}")]


def names() -> tuple[str, str, str]:
    """Return the repository, the name with its tag, and the digest of the Dockerfile's base image."""
    found = _FROM.search((PROJECT / "Dockerfile").read_text())
    if found is None:
        raise HarnessError("the Dockerfile has no FROM that pins a digest")
    return found["repository"], f"{found['repository']}:{found['tag']}", found["digest"]


def _write_archive(folder: Path) -> Path:
    root = folder / "root"
    for name in ("tmp", "etc", "wheels", "usr/local/bin"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/pip.conf").write_text(_PIP)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    python = _python()
    _copy_python(python, root / "usr/local")
    _copy_programs(root)
    _copy_libraries(root)
    _download_wheels(python, root / "wheels")
    archive = folder / "base.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(root, arcname=".", filter=_of_root)
    shutil.rmtree(root)
    return archive


def _python() -> Path:
    """Return the interpreter of the sample service, which `make` finds."""
    found = PROJECT / ".tools/python-3.9"
    if not found.exists():
        raise HarnessError("no Python 3.9 is set up here: make engines does that")
    return Path(found.read_text().strip())


def _copy_python(python: Path, target: Path) -> None:
    printed = run(python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))")
    library = target / f"lib/python{VERSION}"
    unused = ("site-packages", "dist-packages", "test", "config-*", "__pycache__")
    shutil.copytree(printed, library, ignore=shutil.ignore_patterns(*unused))
    (pip,) = library.glob("ensurepip/_bundled/pip-*.whl")
    shutil.unpack_archive(pip, library / "site-packages", "zip")
    shutil.copy(python, target / f"bin/python{VERSION}")
    for name in ("python", "python3"):
        (target / "bin" / name).symlink_to(f"python{VERSION}")


def _copy_programs(root: Path) -> None:
    (root / "usr/bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    for name in PROGRAMS:
        found = shutil.which(name)
        if found is None:
            raise HarnessError(f"there is no {name} on PATH")
        shutil.copy(found, root / "usr/bin" / name)


def _copy_libraries(root: Path) -> None:
    """Copy what the programs and the modules of Python link to, to the same paths."""
    binaries = [*(root / "usr/bin").iterdir(), root / f"usr/local/bin/python{VERSION}"]
    binaries += (root / "usr/local/lib").rglob("*.so")
    libraries = {Path(name) for binary in binaries for name in _libraries(binary)}
    for library in libraries:
        copy = root / library.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, copy)
    # The loader searches /usr/local/lib, or where an interpreter brings its libraries, by its cache alone.
    (root / "etc/ld.so.conf").write_text("".join(f"{one}\n" for one in sorted({x.parent for x in libraries})))
    run("ldconfig", "-r", root)


def _libraries(binary: Path) -> Iterable[str]:
    # A module whose library is missing here cannot be imported there either.
    return _LIBRARY.findall(run("ldd", binary))


def _download_wheels(python: Path, folder: Path) -> None:
    requirements = PROJECT / "sample_service/requirements.txt"
    words = ("-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--require-hashes")
    run(python, *words, "--requirement", requirements, "--dest", folder)


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
