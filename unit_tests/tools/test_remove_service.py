"""`make remove-service` deletes a folder and an entry, and loses no work."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infrastructure.errors import AppError
from tools.new_service import new_service
from tools.remove_service import remove_service
from unit_tests.infrastructure.synthesized import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what `make new-service` reads, with a service that it wrote."""
    for name in ("cdk.json", "Dockerfile", ".dockerignore"):
        shutil.copyfile(PROJECT / name, tmp_path / name)
    shutil.copytree(PROJECT / "sample_service", tmp_path / "sample_service")
    new_service(tmp_path, "orders")
    return tmp_path


def git(project: Path, *words: str) -> None:
    """Run git in the project, without the settings of this machine."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(project), *identity, *words], check=True, capture_output=True)  # noqa: S603, S607


def services(project: Path) -> list[str]:
    """Return the names in the catalogue."""
    return list(json.loads((project / "cdk.json").read_text())["context"]["services"])


def change(project: Path) -> Path:
    """Change a file of the service."""
    path = project / "services/orders/service/orders/greeting.py"
    path.write_text(path.read_text() + "\n# mine\n")
    return path


def test_a_service_is_removed_as_it_was_written(project: Path) -> None:
    assert "orders" in services(project)
    remove_service(project, "orders")
    assert "orders" not in services(project)
    assert not (project / "services/orders").exists()
    assert (project / "cdk.json").read_text() == (PROJECT / "cdk.json").read_text()


@pytest.mark.parametrize("committed", [False, True], ids=["no git", "not committed"])
def test_work_that_git_does_not_have_is_kept(project: Path, committed: bool) -> None:
    if committed:
        git(project, "init")
        git(project, "add", ".")
        git(project, "commit", "-m", "Add orders")
    path, before = change(project), (project / "cdk.json").read_text()
    with pytest.raises(AppError, match="services/orders has work that git does not have: commit it"):
        remove_service(project, "orders")
    assert path.read_text().endswith("# mine\n")
    assert (project / "cdk.json").read_text() == before


def test_a_new_file_is_kept_too(project: Path) -> None:
    (project / "services/orders/service/orders/mine.py").write_text("")
    with pytest.raises(AppError, match="has work that git does not have"):
        remove_service(project, "orders")


def test_committed_work_can_be_removed(project: Path) -> None:
    change(project)
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "Change orders")
    remove_service(project, "orders")
    assert not (project / "services/orders").exists()


@pytest.mark.parametrize("name", ["ordres", "sample-service", "../sample_service"])
def test_what_is_no_service_of_its_own_is_refused(project: Path, name: str) -> None:
    with pytest.raises(AppError, match="only orders: choose another NAME"):
        remove_service(project, name)
    assert (project / "sample_service").is_dir()
