"""What a machine lacks for an engine is one line, and the end of the run says so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cloud import PROJECT
from integration_tests.engines import __main__, base_image, machine

SHELL = shutil.which("sh")
NO_DOCKER = "there is no dockerd, docker, containerd, ip: apt-get install docker.io iproute2"
NO_PODMAN = "there is no podman, ip: apt-get install podman containernetworking-plugins iproute2"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, without any program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, *names: str, version: str = "4.3.1") -> None:
    for name in names:
        (folder / name).write_text(f"#!{SHELL}\necho {name} version {version}\n")
        (folder / name).chmod(0o755)


def test_a_missing_engine_is_named_with_the_command_that_installs_it(path: Path) -> None:
    assert machine.missing("docker") == NO_DOCKER
    assert machine.missing("podman") == NO_PODMAN


def test_an_engine_whose_daemon_is_missing_is_not_played(path: Path) -> None:
    install(path, "docker", "ip")
    assert machine.missing("docker") == "there is no dockerd, containerd: apt-get install docker.io iproute2"


def test_only_root_starts_an_engine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "podman", "ip")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(machine, "CNI", path / "podman")
    assert machine.missing("podman") == "only root can start it: sudo make engines"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert machine.missing("podman") == ""


def test_podman_needs_a_network_that_writes_no_rules_of_a_firewall(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(path, "podman", "ip")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "CNI", path / "bridge")
    missing = f"there is no {path}/bridge: apt-get install containernetworking-plugins"
    assert machine.missing("podman") == missing
    install(path, "podman", version="5.4.2")
    assert machine.missing("podman") == "podman 5.4.2 has no CNI: it needs podman 4"


@pytest.mark.usefixtures("path")
def test_a_machine_without_engines_plays_nothing_and_has_not_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest, "main", lambda _arguments: pytest.fail("nothing can be played"))
    assert __main__.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"engines: docker is not played: {NO_DOCKER}",
        f"engines: podman is not played: {NO_PODMAN}",
    ]


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (("ip", "RTNETLINK answers: Operation not permitted"), "RTNETLINK answers: Operation not permitted"),
        (("dockerd", "failed to start daemon: no cgroups"), "dockerd does not start: failed to start daemon"),
    ],
    ids=["a container without privileges", "a kernel without cgroups"],
)
def test_a_machine_that_does_not_allow_an_engine_skips_it_by_name(
    failing: tuple[str, str], reason: str, tmp_path: Path
) -> None:
    install(tmp_path, "dockerd", "docker", "containerd", "ip")
    # Without a daemon, docker fails, too.
    for name, message in (("docker", "Cannot connect to the Docker daemon"), failing):
        (tmp_path / name).write_text(f"#!{SHELL}\necho '{message}' >&2\nexit 1\n")
    as_root = "import os, sys; os.geteuid = lambda: 0; from integration_tests.engines import __main__ as m; "
    main = "sys.exit(m.main(['--short', '-p', 'no:cacheprovider']))"
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", as_root + main],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        # Of the machine's programs, only those that each machine has.
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all(": docker: " in line and reason in line for line in skipped), done.stdout
    assert len(skipped) == len(__main__.SHORT)
    assert done.returncode == 0, done.stdout


def test_an_engine_removes_its_own_control_groups_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CGROUP_ROOT", tmp_path)
    with machine.own_folder("docker") as folder:
        (tmp_path / "memory/docker/container").mkdir(parents=True)
        (tmp_path / "memory/libpod_parent/container").mkdir(parents=True)
    assert not folder.exists()
    assert [path.name for path in (tmp_path / "memory").iterdir()] == ["libpod_parent"]


def test_an_engine_removes_what_a_killed_run_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "TEMPORARY", tmp_path)
    running, other = tmp_path / f"engines-docker-{os.getpid()}-a", tmp_path / "engines-podman-0-a"
    for folder in (tmp_path / "engines-docker-0-a", running, other):
        (folder / "data").mkdir(parents=True)
    with machine.own_folder("docker") as folder:
        assert {*tmp_path.iterdir()} == {folder, running, other}


def test_the_short_form_is_two_tests_on_the_first_engine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "podman", "ip")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "CNI", path / "podman")
    given: list[list[str]] = []

    def fail(arguments: list[str]) -> int:
        given.append(arguments)
        return 1

    monkeypatch.setattr(pytest, "main", fail)
    assert __main__.main(["--short", "-x"]) == 1
    assert given == [[*(f"{__main__.FILE}::{name}[podman]" for name in __main__.SHORT), "-x"]]
    collected = __main__.FILE.read_text()
    assert all(f"def {name}(" in collected for name in __main__.SHORT)


def test_the_dockerfile_pins_the_base_image_that_the_engines_get() -> None:
    repository, tag, digest = base_image.names()
    assert tag == f"{repository}:3.9-slim"
    assert digest.startswith("sha256:")
