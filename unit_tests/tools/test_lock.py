"""`make lock` writes both requirements files of a service as their headers say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from infrastructure.errors import AppError
from tools.lock import lock
from unit_tests.infrastructure.synthesized import PROJECT

STAND_IN = """#!/bin/sh
echo "$PWD: $*" >> "{log}"
exit {status}
"""


def uv(folder: Path, status: int = 0) -> Path:
    """Return a program in place of uv, which records its folder and its arguments."""
    program = folder / "uv"
    program.write_text(STAND_IN.format(log=folder / "log", status=status))
    program.chmod(0o755)
    return program


def test_the_commands_are_those_of_the_headers(tmp_path: Path) -> None:
    (tmp_path / "sample_service").mkdir()
    (tmp_path / "sample_service/pyproject.toml").touch()
    lock(tmp_path, "sample-service", uv(tmp_path))
    ran = [line.partition(": ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    headers = [
        re.search(r"^#    uv (.+)$", (PROJECT / "sample_service" / name).read_text(), re.M)[1]  # type: ignore[index]
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    assert [sorted(shlex.split(one.replace(" --quiet", ""))) for one in ran] == [
        sorted(shlex.split(one)) for one in headers
    ]


def test_a_service_is_locked_from_the_folder_that_becomes_its_repository(tmp_path: Path) -> None:
    (tmp_path / "services/orders/service").mkdir(parents=True)
    (tmp_path / "services/orders/service/pyproject.toml").touch()
    written = lock(tmp_path, "orders", uv(tmp_path))
    assert [path.name for path in written] == ["requirements.txt", "requirements-dev.txt"]
    folders = {line.partition(": ")[0] for line in (tmp_path / "log").read_text().splitlines()}
    assert folders == {str(tmp_path / "services/orders")}


def test_a_folder_that_is_not_there_and_a_failure_of_uv_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="services/ordres/service has no pyproject"):
        lock(tmp_path, "ordres", uv(tmp_path))
    (tmp_path / "sample_service").mkdir()
    (tmp_path / "sample_service/pyproject.toml").touch()
    with pytest.raises(AppError, match=r"sample_service/requirements\.txt was not written"):
        lock(tmp_path, "sample-service", uv(tmp_path, status=1))
