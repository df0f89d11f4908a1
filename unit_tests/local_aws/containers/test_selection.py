"""The selection of a container engine: docker or podman if one works, else processes, or one by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.containers import selection
from local_aws.containers.docker import networks, probe
from local_aws.containers.selection import VARIABLE, NoEngineError
from unit_tests.local_aws.containers.engine_fakes import FakeEngine, engine_context, only_on_path


@pytest.fixture(autouse=True)
def no_engine_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "auto")
    (tmp_path / "empty").mkdir()
    only_on_path(monkeypatch, tmp_path / "empty")
    monkeypatch.setattr(probe, "TRY_SECONDS", 1.0)


def test_without_docker_and_podman_processes_are_selected_with_the_reason(tmp_path: Path) -> None:
    found = selection.select_engine(engine_context(tmp_path / "state"))
    assert found.name == "processes"
    assert found.about == "processes (docker is not installed; podman is not installed)"


def test_a_docker_without_its_daemon_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_daemon = '[ "$1" = version ] && { echo "Cannot connect to the Docker daemon." >&2; exit 1; }'
    fake = FakeEngine(tmp_path / "bin", "docker", no_daemon)
    only_on_path(monkeypatch, fake.folder)
    found = selection.select_engine(engine_context(tmp_path / "state"))
    assert found.about == "processes (docker: Cannot connect to the Docker daemon.; podman is not installed)"
    assert not fake.commands("run")


def test_a_docker_that_is_connected_to_podman_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = """echo '{"Version": "4", "Components": [{"Name": "Podman Engine"}]}'"""
    fake = FakeEngine(tmp_path / "bin", "docker", f'[ "$1" = version ] && {{ {server}; exit; }}')
    only_on_path(monkeypatch, fake.folder)
    assert "it is connected to podman" in selection.select_engine(engine_context(tmp_path / "state")).about


def test_an_engine_without_the_image_that_cannot_pull_it_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_image = 'case "$1" in image|pull) echo "no such host" >&2; exit 1;; esac'
    fake = FakeEngine(tmp_path / "bin", special=no_image)
    only_on_path(monkeypatch, fake.folder)
    about = selection.select_engine(engine_context(tmp_path / "state")).about
    assert f"podman cannot run a task: it has no {networks.IMAGE} and cannot pull it: no such host" in about


def test_an_engine_whose_containers_cannot_be_reached_is_not_used_and_left_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unreachable = 'case "$3" in *IPAddress*) echo 127.0.0.9; exit;; esac'
    fake = FakeEngine(tmp_path / "bin", special=unreachable)
    only_on_path(monkeypatch, fake.folder)
    about = selection.select_engine(engine_context(tmp_path / "state")).about
    assert "podman cannot run a task: 127.0.0.9 cannot be reached" in about
    assert fake.commands("run")
    assert fake.containers == []
    assert not (tmp_path / "state/containers/engine.json").exists()


def test_an_engine_that_works_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "bin")
    only_on_path(monkeypatch, fake.folder)
    monkeypatch.setattr(probe, "_check_response", lambda *_: None)
    found = selection.select_engine(engine_context(tmp_path / "state"))
    assert (found.name, found.about) == ("podman", "podman 9.9")
    assert fake.containers == []
    found.stop()


def test_processes_can_be_requested_where_an_engine_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = FakeEngine(tmp_path / "bin")
    only_on_path(monkeypatch, fake.folder)
    monkeypatch.setenv(VARIABLE, "processes")
    assert selection.select_engine(engine_context(tmp_path / "state")).name == "processes"
    assert not fake.commands()


def test_a_requested_engine_that_does_not_work_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "podman")
    with pytest.raises(NoEngineError, match=r"^podman is not installed: fix it, or select another"):
        selection.select_engine(engine_context(tmp_path / "state"))


def test_an_unknown_engine_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "lxc")
    with pytest.raises(NoEngineError, match="must be one of auto, processes, docker, podman"):
        selection.select_engine(engine_context(tmp_path / "state"))


def test_up_with_an_engine_that_does_not_work_prints_one_line(tmp_path: Path) -> None:
    words = ["up", "--containers", "podman", "--port", "0", "--state", str(tmp_path / "state")]
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "local_aws", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PATH": str(tmp_path / "empty")},
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("local_aws: podman is not installed")
    assert "Traceback" not in done.stderr
