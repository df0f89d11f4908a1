"""The `docker` of a build with podman: it runs outside of the sandbox of the build."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_aws.containers.docker import outside
from local_aws.containers.docker_script import write_script
from local_aws.host.sandbox import Sandbox

# Prints what it was given, and where it runs.
_PRINT = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ.get("ARGUMENT"), os.environ.get("LD_PRELOAD"), sys.stdin.read())
print(os.readlink("/proc/self/ns/user"), file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A build's folder with its `docker`, whose path is longer than a socket's may be."""
    folder = tmp_path / ("long" * 30)
    (folder / outside.FOLDER).mkdir(parents=True)
    write_script(folder, "local_aws.containers.docker.outside")
    return folder


@pytest.fixture
def served(programs: Path) -> Iterator[Path]:
    """The `docker` of a build whose commands run `_PRINT`."""
    server = outside.Outside(programs / outside.FOLDER, [sys.executable, "-c", _PRINT])
    yield programs / "docker"
    server.close()


def run(command: list[str], folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the script under test
        command, input="given", capture_output=True, text=True, check=False, cwd=folder, env=variables
    )


def test_words_folder_variables_files_and_exit_code_pass_through(served: Path, tmp_path: Path) -> None:
    done = run([str(served), "build", "two words"], tmp_path, ARGUMENT="of a build", LD_PRELOAD="/none.so")
    assert done.stdout == f"['build', 'two words'] {tmp_path} of a build None given\n"
    assert done.returncode == 3


def test_the_command_runs_outside_of_the_sandbox_of_the_build(served: Path, tmp_path: Path) -> None:
    sandbox = Sandbox([], [], [])
    if sandbox.problem:
        pytest.skip(f"no sandbox here: {sandbox.problem}")
    inside = run(sandbox.command(["readlink", "/proc/self/ns/user"], tmp_path), tmp_path, **os.environ)
    done = run(sandbox.command([str(served)], tmp_path), tmp_path, **os.environ)
    sandbox.close()
    assert done.stderr.splitlines()[-1] == os.readlink("/proc/self/ns/user") != inside.stdout.strip()  # noqa: PTH115


def test_a_command_ends_when_its_process_in_the_build_is_killed(programs: Path, tmp_path: Path) -> None:
    made = tmp_path / "process-id"
    script = f"import os, time; open({str(made)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    server = outside.Outside(programs / outside.FOLDER, [sys.executable, "-c", script])
    with subprocess.Popen([programs / "docker", "build"]) as client:  # noqa: S603 - the script under test
        wait_until(lambda: made.exists() and made.read_text() != "")
        client.kill()
    command = Path("/proc", made.read_text())
    wait_until(lambda: not command.exists())
    server.close()


def test_after_its_build_it_says_so(programs: Path, tmp_path: Path) -> None:
    outside.Outside(programs / outside.FOLDER, ["true"]).close()
    done = run([str(programs / "docker"), "build"], tmp_path)
    assert done.stderr.startswith("docker: the build has ended: ")
    assert done.returncode == outside.NOT_RUN


def wait_until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
