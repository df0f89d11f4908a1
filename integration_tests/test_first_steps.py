"""What README and CONTRIBUTING tell to type, in a copy of this project: nobody's own `make up` is touched.

The tests run in the order in which they stand.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.cloud import PROJECT, Cloud
from integration_tests.support.markdown_commands import commands
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# What `make` set up here serves the copy too; what a run leaves, or git keeps, is none of its files.
SET_UP = (".venv", "node_modules", ".tools")
NOT_ITS = (".git", ".local_aws", "evidence", "cdk.out", ".mypy_cache", ".ruff_cache", ".pytest_cache")


@pytest.fixture(scope="module")
def project(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this project, as from a clone that is set up."""
    if cloud.endpoint is None:
        pytest.skip("these are the commands for this machine")
    copy = tmp_path_factory.mktemp("clone") / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*SET_UP, *NOT_ITS))
    for name in SET_UP:
        (copy / name).symlink_to(PROJECT / name)
    yield copy
    if (copy / ".venv").exists():
        make(copy, "down")


def make(project: Path, *words: str) -> str:
    """Run make; return what it says."""
    return run(project, "make", *words)


def run(project: Path, *words: str) -> str:
    """Run a command, as from a shell that runs no make yet; return what it says."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment["PATH"] = os.pathsep.join([str(project / ".venv/bin"), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - what our own pages say
        words, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ended(page: str) -> None:
    """Raise `NotYetError` while a page answers: it looks now and then whether local_aws is there."""
    try:
        requests.get(page, timeout=10)
    except requests.ConnectionError:
        return
    raise NotYetError("it answers")


def test_make_demo_shows_a_release_and_leaves_a_report_and_nothing_else(project: Path) -> None:
    *_, figures, report = make(project, "demo").splitlines()
    assert ", 0 failed, " in figures
    assert figures.endswith("; 0 leftovers")
    assert Path(report.removeprefix("the report of it: ")).is_file()


def test_make_up_says_where_everything_is_and_make_down_takes_it_away(project: Path) -> None:
    port = free_port()
    said = make(project, "up", f"PORT={port}")
    assert f"dev runs on local_aws at http://127.0.0.1:{port} " in said
    page, service, clone = (
        re.search(rf"{before} +(\S+)", said)[1]  # type: ignore[index]
        for before in ("watch it at", "\n  service", "\n  clone")
    )
    assert requests.get(page, timeout=10).status_code == 200
    (head, _) = subprocess.check_output(["git", "ls-remote", clone, "HEAD"], text=True).split()  # noqa: S603, S607
    assert requests.get(service, timeout=10).headers["X-Version"] == head

    assert "0 leftovers" in make(project, "down")
    wait_for("the page's end", lambda: ended(page), deadline=60)
    assert make(project, "down") == "down: nothing runs, and nothing is kept\n"


def test_the_lock_is_written_again_as_contributing_says(project: Path) -> None:
    lock = project / "requirements/dev.txt"
    before, then = lock.read_text(), lock.stat()
    (compiling,) = [
        one for one in commands((project / "CONTRIBUTING.md").read_text()) if one.startswith("uv ")
    ]
    run(project, *shlex.split(compiling))
    assert lock.read_text() == before, "what is locked stays, and no address comes in"
    # It would be set up anew, by way of the link.
    os.utime(lock, ns=(then.st_atime_ns, then.st_mtime_ns))


def test_a_further_service_is_written_and_synthesized(project: Path) -> None:
    assert "services/orders is there" in make(project, "new-service", "NAME=orders")
    make(project, "synth", "SUFFIX=orders-dev")
    assert "repository-orders-dev" in "".join(one.read_text() for one in project.glob("cdk.out/*.json"))


def test_make_help_names_the_commands_and_make_clean_takes_all_away(project: Path) -> None:
    assert "make demo" in make(project, "help")
    make(project, "clean")
    assert not [name for name in (*SET_UP, "cdk.out", ".local_aws", "evidence") if (project / name).exists()]
    assert (PROJECT / ".venv/.ready").exists(), "the links went, and not what they lead to"
