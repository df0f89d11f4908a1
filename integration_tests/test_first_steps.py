"""The commands of README and CONTRIBUTING, run in a copy of this project, apart from a running `make up`.

The tests run in file order.
"""

import json
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

pytestmark = [
    pytest.mark.timeout(4 * 3600),
    pytest.mark.slow,
    pytest.mark.local_only("these commands are for local_aws"),
]

# The copy uses the tools that `make` installed here, and has neither the files of runs nor git's.
INSTALLED = (".venv", "node_modules", ".tools")
NOT_COPIED = (".git", ".local_aws", "evidence", "cdk.out", ".mypy_cache", ".ruff_cache", ".pytest_cache")


@pytest.fixture(scope="module")
def project(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of this project, like a clone with its tools installed."""
    copy = tmp_path_factory.mktemp("clone") / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*INSTALLED, *NOT_COPIED))
    for name in INSTALLED:
        (copy / name).symlink_to(PROJECT / name)
    yield copy
    if (copy / ".venv").exists():
        make(copy, "down")


def make(project: Path, *words: str) -> str:
    """Run make; return its output."""
    return run(project, "make", *words)


def run(project: Path, *words: str) -> str:
    """Run a command as from a shell outside of make; return its output."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment["PATH"] = os.pathsep.join([str(project / ".venv/bin"), os.environ["PATH"]])
    done = subprocess.run(  # noqa: S603 - the commands of our own documentation
        words, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def check_ended(page: str) -> None:
    """Raise `NotYetError` while a page is served: it ends shortly after local_aws."""
    try:
        requests.get(page, timeout=10)
    except requests.ConnectionError:
        return
    raise NotYetError("it is still served")


def test_make_demo_runs_a_release_and_writes_a_report(project: Path) -> None:
    *steps, figures, passed_through, report = make(project, "demo").splitlines()
    assert "where the seconds of its Build stage went:" in steps
    assert ", 0 failed, " in figures
    assert figures.endswith("; 0 leftovers")
    assert passed_through.startswith("passed through to MiniStack unchecked: ")
    assert Path(report.removeprefix("report: ")).is_file()


def test_make_up_prints_every_url_and_make_down_destroys_everything(project: Path) -> None:
    port = free_port()
    output = make(project, "up", f"PORT={port}")
    assert f"dev runs on local_aws at http://127.0.0.1:{port} " in output
    page, service, clone = (
        re.search(rf"{before} +(\S+)", output)[1]  # type: ignore[index]
        for before in ("dashboard:", "\n  service", "\n  clone")
    )
    assert requests.get(page, timeout=10).status_code == 200
    credentials = re.search(r"\n  (\. \S+/environment)\n", output)[1]  # type: ignore[index]
    (head, _) = run(project, "sh", "-c", f"{credentials} && git ls-remote {clone} HEAD").split()
    assert requests.get(service, timeout=10).headers["X-Version"] == head

    assert "0 leftovers" in make(project, "down")
    wait_for("the end of the dashboard", lambda: check_ended(page), deadline=60)
    assert make(project, "down") == "down: local_aws is not running, and no state remains\n"


def test_the_commands_of_contributing_write_the_same_lock_files(project: Path) -> None:
    locks = {path: (path.read_text(), path.stat()) for path in (project / "requirements").glob("*.txt")}
    compiling = [one for one in commands((project / "CONTRIBUTING.md").read_text()) if one.startswith("uv ")]
    assert len(compiling) == 3
    for command in compiling:
        run(project, *shlex.split(command))
    for lock, (before, then) in locks.items():
        assert lock.read_text() == before, "the versions stay, and no index URL is added"
        # Otherwise make would install the tools again, through the link.
        os.utime(lock, ns=(then.st_atime_ns, then.st_mtime_ns))


def test_a_new_service_is_created_and_synthesized(project: Path) -> None:
    assert "Wrote services/orders" in make(project, "new-service", "NAME=orders")
    make(project, "synth", "SUFFIX=orders-dev")
    assert "repository-orders-dev" in "".join(one.read_text() for one in project.glob("cdk.out/*.json"))


def test_a_service_without_its_variable_is_checked_in_one_command(project: Path) -> None:
    dockerfile = project / "services/orders/Dockerfile"
    code = "import os, sys; os.environ['ORDERS_TABLE']; os.execvp('gunicorn', sys.argv[1:])"
    text = dockerfile.read_text().replace('CMD ["gunicorn", ', f'CMD ["python", "-c", "{code}", "gunicorn", ')
    dockerfile.write_text(text)
    check = [str(project / ".venv/bin/python"), "-m", "harness", "check-service", "orders"]
    failed = subprocess.run(check, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
    assert failed.returncode == 1
    assert "its last line: KeyError: 'ORDERS_TABLE'. It had the variables PORT" in failed.stderr

    settings = json.loads((project / "cdk.json").read_text())
    settings["context"]["services"]["orders"]["environment"] = {"ORDERS_TABLE": "orders"}
    (project / "cdk.json").write_text(json.dumps(settings, indent=2))
    output = make(project, "check-service", "NAME=orders")
    assert output.endswith("orders can be released: make up SUFFIX=orders-dev\n")


def test_make_lock_writes_the_same_requirements_without_an_address(project: Path) -> None:
    folder = project / "services/orders/service"
    before = {path: path.read_text() for path in folder.glob("requirements*.txt")}
    assert len(before) == 2
    make(project, "lock", "NAME=orders")
    assert {path: path.read_text() for path in before} == before


def test_make_remove_service_keeps_work_that_git_does_not_have(project: Path) -> None:
    remove = [str(project / ".venv/bin/python"), "-m", "tools", "remove-service", "orders"]
    refused = subprocess.run(remove, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: services/orders has work that git does not have: commit it, then try again\n"
    )
    assert (project / "services/orders").is_dir()


def test_make_help_lists_the_commands_and_make_clean_removes_everything(project: Path) -> None:
    assert "make demo" in make(project, "help")
    make(project, "clean")
    assert not [
        name for name in (*INSTALLED, "cdk.out", ".local_aws", "evidence") if (project / name).exists()
    ]
    assert (PROJECT / ".venv/.ready").exists(), "the links are removed, not their targets"
