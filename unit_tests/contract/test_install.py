"""Requirements that a build host has seen need no network; a build that needs it says so."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infrastructure.constructs.release_files import install
from operations.why.log_lines import significant

EXCERPTS = Path(__file__).parents[1] / "operations/why/excerpts"
OUT_OF_REACH = (EXCERPTS / "package-index-out-of-reach.txt").read_text("utf-8")
WRONG_PIN = (EXCERPTS / "requirement-that-does-not-exist.txt").read_text("utf-8")
LATE_ANSWER = OUT_OF_REACH.replace("(from versions: none)", "(from versions: 3.1.1, 3.1.2)")
# As BuildKit prints what runs in the Dockerfile.
IN_AN_IMAGE = "".join(f"#9 1.234 {line}\n" for line in OUT_OF_REACH.splitlines())


def installed(printed: str, code: int) -> subprocess.CompletedProcess[str]:
    """Run a stand-in for pip that prints a text and ends with a code."""
    pip = f"import sys; sys.stderr.write({printed!r}); sys.exit({code})"
    command = [sys.executable, "-I", install.__file__, sys.executable, "-c", pip]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file


@pytest.mark.parametrize("printed", [OUT_OF_REACH, IN_AN_IMAGE])
def test_without_a_network_the_last_line_says_so_and_what_a_build_needs(printed: str) -> None:
    done = installed(printed, 1)
    assert (done.returncode, done.stdout) == (1, printed)
    assert done.stderr == (
        "the package index cannot be reached (NewConnectionError), so pip found no flask==3.1.3. A build "
        "needs HTTPS to pypi.org and files.pythonhosted.org, and to public.ecr.aws for its base image: check "
        "the network of the build, then retry the stage\n"
    )
    line = significant((done.stdout + done.stderr).splitlines())
    assert line is not None
    assert "cannot be reached (NewConnectionError)" in line.text


@pytest.mark.parametrize(("printed", "code"), [(WRONG_PIN, 1), (LATE_ANSWER, 1), (OUT_OF_REACH, 0), ("", 3)])
def test_a_wrong_pin_or_another_error_is_not_told_as_the_networks(printed: str, code: int) -> None:
    done = installed(printed, code)
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, "")


WHEEL = "greeting-1.0-py3-none-any.whl"


class Index(http.server.SimpleHTTPRequestHandler):
    """A package index from a folder, without a line for each request."""

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder while the context is open; yield the port."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Index, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Return a package index with one package, and beside it a requirements file that pins it."""
    folder = tmp_path / "index" / "simple" / "greeting"
    folder.mkdir(parents=True)
    about = "greeting-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("greeting.py", "TEXT = 'hello'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest()
    (folder / "index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>')
    (tmp_path / "requirements.txt").write_text(f"greeting==1.0 --hash=sha256:{digest}\n")
    return tmp_path / "index"


def install_from(port: int, folder: Path, target: str) -> subprocess.CompletedProcess[str]:
    """Install the requirements file as the buildspec does, with the index on a port of this machine."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes"]
    command = [*pip, "--target", str(folder / target), "--requirement", str(folder / "requirements.txt")]
    own = {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple", "PIP_CACHE_DIR": str(folder / "cache")}
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    variables |= {**own, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "NO_PROXY": "127.0.0.1"}
    return subprocess.run(  # noqa: S603 - our own file
        [sys.executable, "-I", install.__file__, *command],
        capture_output=True,
        text=True,
        check=False,
        env=variables,
    )


def test_requirements_that_the_host_has_seen_need_no_network(index: Path) -> None:
    folder = index.parent
    with served(index) as port:
        assert install_from(port, folder, "first").returncode == 0
    done = install_from(port, folder, "second")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "second" / "greeting.py").exists()
    (folder / "requirements.txt").write_text((folder / "requirements.txt").read_text() + "\n# changed\n")
    assert install_from(port, folder, "third").returncode != 0


def test_a_kept_wheel_that_somebody_has_changed_is_fetched_again(index: Path) -> None:
    folder = index.parent
    with served(index) as port:
        assert install_from(port, folder, "first").returncode == 0
        (kept,) = folder.glob(f"cache/**/{WHEEL}")
        with zipfile.ZipFile(kept, "a") as wheel:
            wheel.writestr("evil.py", "")
        done = install_from(port, folder, "second")
    assert done.returncode == 0
    assert "The kept wheels do not fit: asking the index" in done.stdout
    assert [one.name for one in (folder / "second").glob("*.py")] == ["greeting.py"]


def test_where_wheels_cannot_be_kept_the_index_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str]) -> int:
        ran.append(command)
        return 0

    def rename(path: Path, _target: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(install, "run", run)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("greeting==1.0\n")
    command = ["pip", "install", "--require-hashes", "--requirement", str(requirements)]
    assert install.main(command) == 0
    assert [words[1] for words in ran] == ["download", "install"]
    assert ran[-1] == command
    assert list((tmp_path / "cache" / "wheels-of-requirements").iterdir()) == []
