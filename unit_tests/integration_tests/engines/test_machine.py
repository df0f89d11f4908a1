"""What a machine lacks for an engine is one line, and the end of the run says so."""

import os
import shutil
from pathlib import Path

import pytest

from integration_tests.engines import __main__, base_image, machine

SHELL = shutil.which("sh")


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
    assert machine.missing("docker") == "there is no dockerd, docker, containerd: apt-get install docker.io"
    assert (
        machine.missing("podman") == "there is no podman: apt-get install podman containernetworking-plugins"
    )


def test_an_engine_whose_daemon_is_missing_is_not_played(path: Path) -> None:
    install(path, "docker")
    assert machine.missing("docker") == "there is no dockerd, containerd: apt-get install docker.io"


def test_only_root_starts_an_engine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(path, "podman")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(machine, "CNI", path / "podman")
    assert machine.missing("podman") == "only root can start it: sudo make engines"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert machine.missing("podman") == ""


def test_podman_needs_a_network_that_writes_no_rules_of_a_firewall(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(path, "podman")
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
    assert __main__.main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "engines: docker is not played: there is no dockerd, docker, containerd: apt-get install docker.io",
        "engines: podman is not played: there is no podman: "
        "apt-get install podman containernetworking-plugins",
    ]


def test_the_dockerfile_pins_the_base_image_that_the_engines_get() -> None:
    repository, tag, digest = base_image.names()
    assert tag == f"{repository}:3.9-slim"
    assert digest.startswith("sha256:")
